#include "node/resp_transaction.h"

#include <utility>

#include "wire/resp_operation.h"

namespace lh::node {

namespace {

using core::Code;
using wire::RespArgs;
using wire::RespCommand;
using wire::RespVerb;

// What a key, a value or arguments take besides their bytes, at most.
constexpr size_t kPartBytes = 32;

struct Part {
  Code code = Code::kOk;
  std::string_view value;
};

// A node that leaves parts out of its answer is answered for.
Part next_part(base::Reader* parts) {
  Part part;
  if (!core::read_part(parts, &part.code, &part.value)) return {Code::kMalformed, {}};
  return part;
}

}  // namespace

// ------------------------------------------------------------------------------------- the queue

bool RespTransaction::watch(std::string_view key, const core::Version& version) {
  watched_bytes_ += key.size() + core::kVersionBytes + kPartBytes;
  if (watched_bytes_ > kWatchedBytesMax) return false;
  watched_.push_back({std::string(key), version});
  return true;
}

void RespTransaction::forget_watches() {
  watched_ = {};
  watched_bytes_ = 0;
}

bool RespTransaction::add(const RespCommand& command, const RespArgs& args) {
  Queued fresh{&command, {}, {}};
  for (size_t k = 0; k < args.size(); ++k) {
    queued_bytes_ += args[k].size() + kPartBytes;
    if (queued_bytes_ > kQueuedBytesMax) return false;
    fresh.places.push_back({static_cast<uint32_t>(fresh.bytes.size()), args.place(k).size});
    fresh.bytes.append(args[k]);
  }
  queued_.push_back(std::move(fresh));
  return true;
}

std::optional<std::string_view> RespTransaction::key() const {
  for (const Queued& queued : queued_) {
    if (queued.command->op) return queued.args()[static_cast<size_t>(queued.command->first_key)];
  }
  if (!watched_.empty()) return watched_.front().key;
  return std::nullopt;
}

std::unique_ptr<RespParts> RespTransaction::compile(core::ExpiryMs unix_ms, RespAdmin* admin,
                                                    std::string* value) const {
  auto parts = std::make_unique<RespParts>();
  core::TransactionWriter writer(value, watched_.size());
  for (const Watched& watched : watched_) writer.watch({watched.key, watched.version});
  for (const Queued& queued : queued_) {
    const RespCommand& command = *queued.command;
    const RespArgs args = queued.args();
    RespParts::Step step{&command, core::Op::kRead, 0, {}};
    if (command.verb == RespVerb::kUnwatch) {
      step.text = "+OK\r\n";  // and nothing else: what was watched counts by now
    } else if (!command.op) {
      admin->execute(command, args, &step.text);
    } else if (command.of_each_key) {
      step.op = *command.op;
      const auto distance = static_cast<size_t>(command.key_step);
      for (size_t k = 1; k < args.size(); k += distance) {
        writer.add({step.op, 0, args[k], distance == 2 ? args[k + 1] : std::string_view()});
        ++step.operations;
      }
    } else {
      const wire::RespOperation asked = wire::read_operation(command, args, unix_ms);
      if (asked.error.empty()) {
        step.op = asked.op;
        step.operations = 1;
        writer.add(
            {asked.op, 0, args[static_cast<size_t>(command.first_key)], asked.value(), asked.args});
      } else {
        wire::RespWriter(&step.text, admin->version()).error(asked.error);
      }
    }
    parts->add(std::move(step));
  }
  return parts;
}

// ------------------------------------------------------------------------------------ the answer

void RespParts::append(Code code, BucketNo bucket, std::string_view parts, wire::RespWriter writer,
                       std::string* out) const {
  if (code != Code::kOk) return writer.failure(code, bucket);
  base::Reader reader(parts);
  writer.array(steps_.size());
  for (const Step& step : steps_) {
    if (step.operations == 0) {
      out->append(step.text);
    } else if (step.command->of_each_key) {
      append_several(step, bucket, &reader, writer, out);
    } else {
      const Part part = next_part(&reader);
      writer.said(step.op, part.code, bucket, part.value);
    }
  }
}

void RespParts::append_several(const Step& step, BucketNo bucket, base::Reader* parts,
                               wire::RespWriter writer, std::string* out) const {
  const size_t before = out->size();
  const bool wants_values = step.op == core::Op::kRead;
  if (wants_values) writer.array(step.operations);
  int64_t sum = 0;
  std::optional<Code> failed;
  for (size_t k = 0; k < step.operations; ++k) {
    const Part part = next_part(parts);
    const bool fine = part.code == Code::kOk || part.code == Code::kNotFound;
    if (!fine && !failed) failed = part.code;
    sum += part.code == Code::kOk ? 1 : 0;
    if (fine && wants_values) writer.said(step.op, part.code, bucket, part.value);
  }
  if (failed) {
    out->resize(before);
    writer.failure(*failed, bucket);
  } else if (step.command->verb == RespVerb::kMset) {
    writer.simple("OK");
  } else if (!wants_values) {
    writer.integer(sum);
  }
}

}  // namespace lh::node
