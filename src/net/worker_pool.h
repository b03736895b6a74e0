// WorkerPool: the threads of a process that serve requests: N workers, each one thread, one event
// loop and one mailbox to every other.
//
// Life: create() -> set up each worker's loop and mail handler in the calling thread -> start() ->
// stop(), which lets each loop finish its turn and joins the threads -> tear down what lived in the
// loops -> destroy the pool. Between create() and start(), and after stop(), the caller owns all
// loops; in between each belongs to its thread (named lh-w0, ...) and only post() reaches it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "lh/status.h"
#include "net/event_loop.h"
#include "net/mailbox.h"
#include "net/task.h"

namespace lh::net {

class WorkerPool {
 public:
  static constexpr size_t kWorkersMax = 256;

  // 1 <= workers <= kWorkersMax. mail_in_flight_max: see Mailbox, for each pair of workers. `clock`
  // must outlive the pool.
  static Result<std::unique_ptr<WorkerPool>> create(size_t workers, size_t mail_in_flight_max,
                                                    const base::Clock& clock);
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  size_t size() const { return workers_.size(); }
  EventLoop& loop(size_t worker) { return *workers_[worker]->loop; }
  Mailbox& mailbox(size_t worker) { return workers_[worker]->mailbox; }

  // Starts all threads, or none. Precondition: not running.
  Status start();

  // Returns when all threads have ended. Nothing happens when none runs. Not to be called by a
  // worker.
  void stop();

  // Runs `task` in the worker's thread. Any thread; also before start(). What has not run at stop()
  // waits for another start(), or is destroyed with the pool.
  void post(size_t worker, Task task) { loop(worker).post(std::move(task)); }

 private:
  struct Worker {
    Worker(std::unique_ptr<EventLoop> its_loop, size_t its_index, size_t mail_in_flight_max)
        : index(its_index), loop(std::move(its_loop)), mailbox(*loop, index, mail_in_flight_max) {}
    const size_t index;
    const std::unique_ptr<EventLoop> loop;
    Mailbox mailbox;
    base::Thread thread;
  };

  WorkerPool() = default;

  std::vector<std::unique_ptr<Worker>> workers_;
  size_t running_ = 0;  // how many of them, from the first on, have a thread
};

}  // namespace lh::net
