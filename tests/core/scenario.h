// Scenario: the language of the scripts in tests/testdata, over a Cluster.
//
//   file [i= n=] [nodes=] [capacity=] [max-buckets=] [own-max-buckets=] [hash=mixed]
//                              a file grown to that state by splits, empty; nodes 2.. take buckets
//   node [max-buckets=]        another node registers
//   grow i= n=                 grows it further, without the help of clients
//   client NAME [i= n= [map=] [child=]]  with a fresh image, or that one and a map of so many
//                              buckets; child: the node of the last one, which the map lacks
//   insert|update|put|delete|read|locate NAME key= [value=]
//   fill NAME keys=A..B,C [value=|bytes=]  inserts one after the other, each followed by all it
//                              causes, and shows the splits
//   scan NAME [key=GLOB|value=GLOB|contains=WORD]    count|whole-file|buckets-of|nodes-of NAME
//   bucket NAME n=             settle NAME
//   run [ms=] [quietly]        delivers all, takes all turns; ms: while that time passes; quietly:
//                              shows only what clients finished
//   deliver [from=] [to=] [count=]                  what is in flight now, and no turns
//   turn NODE                  tick ms=  time passes, nothing is delivered
//   lose from= to= [count=]    the newest messages of a link; all without count
//   hold|release from= to=     what is sent on this link stays there for a while
//   stop|pause|resume PARTY    return PARTY [address=]
//   restart NODE               a new process at its address: another node
//   flight                     messages in flight
//   file-state | buckets | image NAME | messages NAME | book PARTY
//
// A transcript shows messages as they are delivered (`c1->n1 Put 12 x seq=1 to=0`), refused or
// lost, and what clients finished. Heartbeats and their empty answers are left out. After each
// command the invariants of the file are checked.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/core/cluster.h"
#include "tests/core/datadriven.h"

namespace lh::core::testing {

class Scenario {
 public:
  std::string execute(const Command& command);

 private:
  using Handler = void (Scenario::*)(const Command&);
  static const std::map<std::string, Handler>& handlers();

  void file(const Command& c);
  void grow(const Command& c);
  void node(const Command& c);
  void client(const Command& c);
  void request(const Command& c);
  void fill(const Command& c);
  void fill_one(const Party& client, uint64_t key, const std::string& value);
  void scan(const Command& c);
  void call(const Command& c);
  void run(const Command& c);
  void deliver(const Command& c);
  void turn(const Command& c);
  void tick(const Command& c);
  void lose(const Command& c);
  void link(const Command& c);
  void trouble(const Command& c);
  void flight(const Command& c);
  void file_state(const Command& c);
  void buckets(const Command& c);
  void image(const Command& c);
  void messages(const Command& c);
  void book(const Command& c);

  void show(const Envelope& envelope, Cluster::Fate fate);
  void say(const std::string& line);
  void flush_news();

  std::optional<Cluster> cluster_;
  bool quiet_ = false;
  std::string printed_;
};

}  // namespace lh::core::testing
