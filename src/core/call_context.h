// CallContext: what a client lends to its calls about the file as a whole, for the time of one
// step.
#pragma once

#include "base/clock.h"
#include "core/address_book.h"
#include "core/effects.h"
#include "core/message.h"
#include "lh/types.h"

namespace lh::core {

struct CallContext {
  base::Instant now;
  const ReplyPath& path;
  FileState image;
  const AddressBook& book;
  Effects* effects;
};

}  // namespace lh::core
