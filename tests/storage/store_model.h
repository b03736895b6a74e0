// A small store on a DataDir: keys and values in streams, stream s at worker s % workers. Used as a
// language (start(2); put(1, "a", "x"); commit(); crash(); EXPECT_EQ(start(2), "1:a=x")) and as the
// model of what a node does with its data directory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/data_dir.h"
#include "storage/env.h"

namespace lh::storage {

class StoreModel {
 public:
  using State = std::map<std::pair<uint64_t, std::string>, std::string>;

  explicit StoreModel(Env* env, uint64_t epoch = 0x5eed, std::string path = "d")
      : env_(env), epoch_(epoch), path_(std::move(path)) {}

  // Opens the directory and recovers all of it. Ok, or what is wrong.
  Status open(uint32_t workers, const LogWriterOptions& log = {}) {
    stop();
    workers_ = workers;
    auto opened = DataDir::open(env_, path_, {.workers = workers, .new_epoch = epoch_, .log = log});
    if (!opened.ok()) return opened.status();
    dir_ = std::move(opened).value();
    for (size_t source = 0; source < dir_->sources().size(); ++source) {
      Status status = dir_->recover(source, [this](const Record& r) { return apply(r); });
      if (!status.ok()) return status;
    }
    return {};
  }

  Status start(uint32_t workers, const LogWriterOptions& log = {}) {
    Status status = open(workers, log);
    if (status.ok()) status = dir_->start();
    batches_.clear();
    for (uint32_t worker = 0; status.ok() && worker < workers; ++worker) {
      batches_.emplace_back(dir_->log(worker)->next_sequence());
    }
    return status;
  }

  // Without closing: what a process does that is killed.
  void stop() {
    state_.clear();
    dir_.reset();
  }

  void put(uint64_t stream, const std::string& key, const std::string& value) {
    state_[{stream, key}] = value;
    batches_[stream % workers_].append(stream, key + "=" + value);
  }
  void erase(uint64_t stream, const std::string& key) {
    state_.erase({stream, key});
    batches_[stream % workers_].append(stream, key);
  }

  Status write(uint32_t worker) {
    Status status = dir_->log(worker)->write(&batches_[worker]);
    if (status.ok()) batches_[worker].clear();
    return status;
  }
  Status commit() {
    for (uint32_t worker = 0; worker < workers_; ++worker) {
      Status status = write(worker);
      if (status.ok()) status = dir_->log(worker)->sync();
      if (!status.ok()) return status;
    }
    return {};
  }

  // A whole snapshot, in slices of `slice` records; `meanwhile` runs between two of them.
  template <typename Function>
  Status snapshot(uint32_t worker, size_t slice, Function meanwhile) {
    auto begun = dir_->begin_snapshot(worker, batches_[worker].next() - 1);
    if (!begun.ok()) return begun.status();
    SnapshotWriter& writer = *begun.value();
    LogBatch batch(1);
    std::pair<uint64_t, std::string> from;
    for (auto it = state_.lower_bound(from); it != state_.end(); it = state_.upper_bound(from)) {
      from = it->first;
      if (from.first % workers_ != worker) continue;
      batch.append(from.first, from.second + "=" + it->second);
      if (batch.count() < slice) continue;
      if (Status status = writer.write(&batch); !status.ok()) return status;
      batch.clear();
      meanwhile();
    }
    Status status = writer.write(&batch);
    const uint64_t log_end = batches_[worker].next() - 1;
    if (status.ok()) status = commit();
    if (status.ok()) status = writer.finish(log_end);
    if (status.ok()) status = dir_->install_snapshot(worker, writer);
    return status;
  }
  Status snapshot(uint32_t worker) {
    return snapshot(worker, 1000, [] {});
  }

  // Where the last change of a stream is in its worker's log.
  uint32_t worker_of(uint64_t stream) const { return static_cast<uint32_t>(stream % workers_); }
  uint64_t last_sequence(uint64_t stream) const { return batches_[worker_of(stream)].next() - 1; }

  const State& state() const { return state_; }
  DataDir& dir() { return *dir_; }

  static std::string to_string(const State& state) {
    std::string text;
    for (const auto& [key, value] : state) {
      text += (text.empty() ? "" : " ") + std::to_string(key.first) + ":" + key.second + "=";
      text += value;
    }
    return text;
  }

 private:
  Status apply(const Record& record) {
    const std::string payload(record.payload);
    const size_t equals = payload.find('=');
    if (payload.empty()) return {StatusCode::kDamaged, "this is no change of a store"};
    if (equals == std::string::npos) {
      state_.erase({record.stream, payload});
    } else {
      state_[{record.stream, payload.substr(0, equals)}] = payload.substr(equals + 1);
    }
    return {};
  }

  Env* env_;
  uint64_t epoch_;
  std::string path_;
  uint32_t workers_ = 0;
  State state_;
  std::unique_ptr<DataDir> dir_;
  std::vector<LogBatch> batches_;
};

}  // namespace lh::storage
