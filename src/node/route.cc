#include "node/route.h"

namespace lh::node {

namespace {

// One overload a message that travels. Buckets first.
struct Finder {
  size_t here;
  BucketOwners* owners;
  bool has_coordinator;

  Target bucket(BucketNo a) const { return {Party::kServer, owners->find(a).value_or(here)}; }
  static Target link(const core::ReplyPath& path) {
    return {Party::kLink, LinkToken::unpack(path.link).worker};
  }
  static Target coordinator() { return {Party::kCoordinator, core::kCoordinatorWorker}; }

  Target operator()(const core::Request& m) const { return bucket(m.to); }
  Target operator()(const core::Scan& m) const { return bucket(m.to); }
  Target operator()(const core::ScanMore& m) const { return bucket(m.to); }
  Target operator()(const core::SplitOrder& m) const { return bucket(m.source.a); }
  Target operator()(const core::SplitRecordsAck& m) const { return bucket(m.source); }
  Target operator()(const core::OverflowAck& m) const { return bucket(m.bucket); }
  Target operator()(const core::SplitRecords& m) const {
    return {Party::kServer, owners->claim(m.target.a).value_or(here)};
  }

  Target operator()(const core::Reply& m) const { return link(m.to); }
  Target operator()(const core::ScanReply& m) const { return link(m.to); }
  Target operator()(const core::FileReply& m) const { return link(m.to); }
  Target operator()(const core::Registered& m) const { return link(m.to); }
  Target operator()(const core::BookUpdate& m) const {
    return m.to.client == 0 ? Target{Party::kEveryServer, here} : link(m.to);
  }

  Target operator()(const core::StandingQuery& m) const {
    return has_coordinator ? link(m.to) : Target{Party::kEveryServer, here};
  }

  Target operator()(const core::Standing&) const { return coordinator(); }
  Target operator()(const core::Register&) const { return coordinator(); }
  Target operator()(const core::Heartbeat&) const { return coordinator(); }
  Target operator()(const core::Overflow&) const { return coordinator(); }
  Target operator()(const core::SplitDone&) const { return coordinator(); }
  Target operator()(const core::FileQuery&) const { return coordinator(); }
  Target operator()(const core::BookQuery&) const {
    return has_coordinator ? coordinator() : Target{Party::kServer, here};
  }

  Target operator()(const core::Hello&) const { return {}; }
  Target operator()(const core::Welcome&) const { return {}; }
  Target operator()(const core::Ping&) const { return {}; }
  Target operator()(const core::Pong&) const { return {}; }
  Target operator()(const core::Error&) const { return {}; }
};

}  // namespace

Target find_target(const core::Message& message, size_t here, BucketOwners* owners,
                   bool has_coordinator) {
  return std::visit(Finder{here, owners, has_coordinator}, message);
}

}  // namespace lh::node
