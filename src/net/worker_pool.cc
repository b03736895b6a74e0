#include "net/worker_pool.h"

#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "net/os_error.h"

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
    const int error = pthread_create(&worker->thread, nullptr, run_worker, worker.get());
    if (error != 0) {
      stop();
      return os_error("cannot start a worker thread", error);
    }
    ++running_;
  }
  return {};
}

void WorkerPool::stop() {
  for (size_t i = 0; i < running_; ++i) workers_[i]->loop->stop();
  for (size_t i = 0; i < running_; ++i) {
    LH_CHECK(pthread_join(workers_[i]->thread, nullptr) == 0);
  }
  running_ = 0;
}

void* WorkerPool::run_worker(void* worker_pointer) {
  Worker& worker = *static_cast<Worker*>(worker_pointer);
  // For top, gdb and perf; a name that is refused costs nothing but itself.
  const std::string name = base::format("lh-w%zu", worker.index);
  pthread_setname_np(pthread_self(), name.c_str());
  worker.loop->run();
  return nullptr;
}

}  // namespace lh::net
