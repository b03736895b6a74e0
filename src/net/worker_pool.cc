#include "net/worker_pool.h"

#include <utility>

#include "base/check.h"
#include "base/strings.h"

namespace lh::net {

Result<std::unique_ptr<WorkerPool>> WorkerPool::create(size_t workers, size_t mail_in_flight_max,
                                                       const base::Clock& clock) {
  LH_CHECK(workers >= 1);
  LH_CHECK(workers <= kWorkersMax);
  std::unique_ptr<WorkerPool> pool(new WorkerPool);
  std::vector<Mailbox*> mailboxes;
  for (size_t i = 0; i < workers; ++i) {
    Result<std::unique_ptr<EventLoop>> loop = EventLoop::create(clock);
    if (!loop.ok()) return loop.status();
    pool->workers_.push_back(
        std::make_unique<Worker>(std::move(loop).value(), i, mail_in_flight_max));
    mailboxes.push_back(&pool->workers_.back()->mailbox);
  }
  for (Mailbox* mailbox : mailboxes) mailbox->connect(mailboxes);
  return pool;
}

Status WorkerPool::start() {
  LH_CHECK(running_ == 0);
  for (const auto& worker : workers_) {
    Status status = worker->thread.start(base::format("lh-w%zu", worker->index),
                                         [loop = worker->loop.get()] { loop->run(); });
    if (!status.ok()) {
      stop();
      return status;
    }
    ++running_;
  }
  return {};
}

void WorkerPool::stop() {
  for (size_t i = 0; i < running_; ++i) workers_[i]->loop->stop();
  for (size_t i = 0; i < running_; ++i) workers_[i]->thread.join();
  running_ = 0;
}

}  // namespace lh::net
