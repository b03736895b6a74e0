// Status: the outcome of an operation that the world can make fail (a disk, a peer, a flag).
// Bugs are not statuses: they stop the process through LH_CHECK (src/base/check.h).
//
// A Status is one pointer wide; success allocates nothing. Both types are values: const methods may
// be called from several threads at once, anything else needs outside synchronisation.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace lh {

enum class StatusCode : unsigned char {
  kOk = 0,
  kNotFound,     // no such key, no such file
  kExists,       // the key (or the thing to be created) is already there
  kInvalid,      // an argument or a configuration that can never work: exit status 2
  kRefused,      // understood and declined: no room, wrong state
  kUnavailable,  // a node or the coordinator cannot be reached: exit status 3
  kDamaged,      // data that fails its own checks: exit status 4
  kIo,           // the operating system said no; the message has its words
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // success
  Status(StatusCode code, std::string message)
      : error_(std::make_unique<Error>(Error{code, std::move(message)})) {}

  Status(const Status& other)
      : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) error_ = other.error_ ? std::make_unique<Error>(*other.error_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  bool ok() const { return error_ == nullptr; }
  StatusCode code() const { return error_ ? error_->code : StatusCode::kOk; }

  // One sentence without a final stop, fit for a user; empty on success.
  std::string_view message() const {
    return error_ ? std::string_view(error_->message) : std::string_view();
  }

 private:
  struct Error {
    StatusCode code;
    std::string message;
  };
  std::unique_ptr<Error> error_;
};

// A value, or the Status that explains why there is none. value() on a failed Result is a bug of
// the caller and ends the process.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) {  // NOLINT: implicit by design
    if (status_.ok()) __builtin_trap();
  }

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }

  T& value() & {
    if (!ok()) __builtin_trap();
    return value_;
  }
  const T& value() const& {
    if (!ok()) __builtin_trap();
    return value_;
  }
  T&& value() && {
    if (!ok()) __builtin_trap();
    return std::move(value_);
  }

 private:
  Status status_;
  T value_{};
};

}  // namespace lh
