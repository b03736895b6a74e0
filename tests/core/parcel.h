// Parcel: any message together with the bytes that it borrows: what a link of the tests' cluster
// carries from the step that sent it to the one that receives it.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "core/message.h"

namespace lh::core::testing {

class Parcel {
 public:
  explicit Parcel(const Message& message);
  Parcel(Parcel&&) = default;
  Parcel& operator=(Parcel&&) = default;

  const Message& message() const { return message_; }

 private:
  void own(std::string_view* view);
  void own(ReplyPath* path) { own(&path->listener); }
  template <typename... Fields>
  void own_all(Fields*... fields) {
    (own(fields), ...);
  }
  template <typename M>
  void own_fields(M* m);

  std::deque<std::string> bytes_;  // whose elements stay where they are
  Message message_;
};

}  // namespace lh::core::testing
