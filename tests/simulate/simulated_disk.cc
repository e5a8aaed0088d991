#include "tests/simulate/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

namespace weir::tests {
namespace {

namespace fs = std::filesystem;
using storage::DiskError;
using storage::DiskFile;
using storage::DiskLock;
using storage::DiskResult;

constexpr std::size_t kBlockBytes = 4096;
constexpr std::size_t kSectorBytes = 512;
constexpr std::uint64_t kRoot = 1;

std::unexpected<DiskError> Failed(int code, const char* doing, const fs::path& path) {
  return std::unexpected(DiskError{
      .code = code,
      .message = std::string("cannot ") + doing + " " + path.string() + ": " + std::strerror(code)});
}

// A shortening, or a piece of a write.
struct Edit {
  std::uint64_t offset = 0;
  std::string bytes = {};
  bool shortens = false;

  void ApplyTo(std::string& content, std::size_t count) const {
    if (shortens) {
      if (content.size() > offset) content.resize(offset);
      return;
    }
    if (content.size() < offset + count) content.resize(offset + count, '\0');
    content.replace(offset, count, bytes, 0, count);
  }
};

std::uint64_t Mixed(std::uint64_t seed, std::uint64_t unit) {
  std::mt19937_64 random(seed * 0x9E3779B97F4A7C15u + unit);
  random.discard(1);
  return random();
}

}  // namespace

bool Survivors::Keeps(std::size_t unit) const {
  switch (rule_) {
    case Rule::kAll:
      return true;
    case Rule::kNone:
      return false;
    case Rule::kAllBut:
      return unit != number_;
    case Rule::kOnly:
      return unit == number_;
    case Rule::kBySeed:
      return (Mixed(number_, unit) & 1) != 0;
  }
  return false;
}

std::size_t Survivors::BytesOf(std::size_t unit, std::size_t piece_bytes) const {
  if (rule_ != Rule::kBySeed) return piece_bytes;
  const std::uint64_t dice = Mixed(number_, unit) >> 8;
  const std::size_t sectors = piece_bytes / kSectorBytes;
  return dice % 4 != 0 || sectors == 0 ? piece_bytes : kSectorBytes * (dice / 4 % sectors);
}

std::string Survivors::Name() const {
  switch (rule_) {
    case Rule::kAll:
      return "all";
    case Rule::kNone:
      return "none";
    case Rule::kAllBut:
      return "all but " + std::to_string(number_);
    case Rule::kOnly:
      return "only " + std::to_string(number_);
    case Rule::kBySeed:
      return "by seed " + std::to_string(number_);
  }
  return {};
}

// A file, or a directory: what it is, and what of it is durable.
struct SimulatedDisk::Node {
  bool directory = false;
  std::string content = {};
  std::string durable = {};
  std::vector<Edit> pending = {};
  std::map<std::string, NodeId> names = {};
  std::map<std::string, NodeId> durable_names = {};
};

struct SimulatedDisk::NameChange {
  NodeId child;
  std::optional<Place> from;  // where it is no longer called so
  std::optional<Place> to;
  bool from_synced = false;
  bool to_synced = false;

  bool IsDurable() const { return (!from || from_synced) && (!to || to_synced); }
  template <typename NamesOf>
  void ApplyTo(const NamesOf& names_of) const {
    if (from) {
      auto& names = names_of(from->directory);
      const auto found = names.find(from->name);
      if (found != names.end() && found->second == child) names.erase(found);
    }
    if (to) names_of(to->directory)[to->name] = child;
  }
};

struct Moment::Files {
  std::map<SimulatedDisk::NodeId, SimulatedDisk::Node> nodes;
  std::vector<SimulatedDisk::NameChange> changes;  // pending, in their order
  SimulatedDisk::NodeId last = kRoot;
};

std::size_t Moment::units() const {
  std::size_t units = files_->changes.size();
  for (const auto& [id, node] : files_->nodes) units += node.directory ? 0 : node.pending.size() + 1;
  return units;
}

std::unique_ptr<SimulatedDisk> Moment::After(const Survivors& survivors) const {
  auto disk = std::make_unique<SimulatedDisk>();
  auto& nodes = disk->files_->nodes;
  disk->files_->last = files_->last;
  std::size_t unit = 0;
  for (const auto& [id, before] : files_->nodes) {
    SimulatedDisk::Node& node = nodes[id];
    node.directory = before.directory;
    node.names = before.durable_names;
    if (node.directory) continue;
    node.content = before.durable;
    for (const Edit& change : before.pending) {
      if (survivors.Keeps(unit)) change.ApplyTo(node.content, survivors.BytesOf(unit, change.bytes.size()));
      ++unit;
    }
    const bool grown = node.content.size() > before.durable.size();
    if (!survivors.Keeps(unit++) && grown) node.content.resize(before.durable.size());
    node.durable = node.content;
  }
  for (const SimulatedDisk::NameChange& change : files_->changes) {
    if (survivors.Keeps(unit++)) {
      change.ApplyTo([&](SimulatedDisk::NodeId id) -> auto& { return nodes[id].names; });
    }
  }
  for (auto& [id, node] : nodes) node.durable_names = node.names;
  return disk;
}

class SimulatedFile final : public DiskFile {
 public:
  SimulatedFile(SimulatedDisk& disk, SimulatedDisk::NodeId node, fs::path path)
      : disk_(disk), node_(node), path_(std::move(path)) {}

  DiskResult<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) const override {
    const std::lock_guard lock(disk_.mutex_);
    const std::string& content = Node().content;
    if (offset >= content.size()) return 0;
    const std::size_t count = std::min<std::size_t>(into.size(), content.size() - offset);
    content.copy(into.data(), count, offset);
    return count;
  }
  DiskResult<void> WriteAt(std::uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.Tell(SimulatedDisk::Operation::kWrite);
    while (!bytes.empty()) {
      const std::size_t count = std::min<std::size_t>(bytes.size(), kBlockBytes - offset % kBlockBytes);
      Add({.offset = offset, .bytes = std::string(bytes.substr(0, count))});
      bytes.remove_prefix(count);
      offset += count;
    }
    return {};
  }
  DiskResult<void> Sync() override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.Tell(SimulatedDisk::Operation::kSync);
    for (const std::string& part : disk_.lies_) {
      if (path_.filename().string().contains(part)) return {};
    }
    for (const Edit& change : Node().pending) change.ApplyTo(Node().durable, change.bytes.size());
    Node().pending.clear();
    return {};
  }
  DiskResult<std::uint64_t> Size() const override {
    const std::lock_guard lock(disk_.mutex_);
    return Node().content.size();
  }
  DiskResult<void> Resize(std::uint64_t bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (bytes == Node().content.size()) return {};
    disk_.Tell(SimulatedDisk::Operation::kWrite);
    if (bytes < Node().content.size()) {
      Add({.offset = bytes, .shortens = true});
    } else {
      Add({.offset = bytes - 1, .bytes = std::string(1, '\0')});
    }
    return {};
  }
  void Reserve(std::uint64_t, std::uint64_t) override {}
  void StartWriting(std::uint64_t, std::uint64_t) override {}
  void WillRead(std::uint64_t, std::uint64_t) const override {}
  void WillNotRead(std::uint64_t, std::uint64_t) const override {}

 private:
  SimulatedDisk::Node& Node() const { return disk_.files_->nodes.at(node_); }
  void Add(Edit change) {
    change.ApplyTo(Node().content, change.bytes.size());
    Node().pending.push_back(std::move(change));
  }

  SimulatedDisk& disk_;
  const SimulatedDisk::NodeId node_;
  const fs::path path_;
};

class SimulatedDisk::HeldLock final : public DiskLock {
 public:
  HeldLock(SimulatedDisk& disk, std::string name, bool exclusive)
      : disk_(disk), name_(std::move(name)), exclusive_(exclusive) {}
  ~HeldLock() override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.locks_[name_] -= exclusive_ ? -1 : 1;
  }

 private:
  SimulatedDisk& disk_;
  const std::string name_;
  const bool exclusive_;
};

SimulatedDisk::SimulatedDisk() : files_(std::make_unique<Moment::Files>()) {
  files_->nodes[kRoot].directory = true;
}
SimulatedDisk::~SimulatedDisk() = default;

void SimulatedDisk::WatchWith(Watch watch) {
  const std::lock_guard lock(mutex_);
  watch_ = std::move(watch);
}

void SimulatedDisk::LieAbout(const std::string& part) {
  const std::lock_guard lock(mutex_);
  lies_.insert(part);
}

void SimulatedDisk::Tell(Operation operation) const {
  if (!watch_) return;
  watch_(operation, [this] {
    auto files = std::make_shared<Moment::Files>(*files_);
    // What no name leads to, durable or pending, no power cut brings back.
    std::set<NodeId> named = {kRoot};
    for (const auto& [id, node] : files->nodes) {
      for (const auto* names : {&node.names, &node.durable_names}) {
        for (const auto& [name, child] : *names) named.insert(child);
      }
    }
    for (const NameChange& change : files->changes) named.insert(change.child);
    std::erase_if(files->nodes, [&named](const auto& entry) { return !named.contains(entry.first); });
    return Moment(std::move(files));
  });
}

std::optional<SimulatedDisk::NodeId> SimulatedDisk::Find(const fs::path& path) const {
  NodeId at = kRoot;
  for (const fs::path& part : path.relative_path()) {
    if (part.empty() || part == ".") continue;
    const Node& node = files_->nodes.at(at);
    const auto found = node.names.find(part.string());
    if (found == node.names.end()) return std::nullopt;
    at = found->second;
  }
  return at;
}

std::optional<SimulatedDisk::Place> SimulatedDisk::PlaceOf(const fs::path& path) const {
  const auto directory = Find(path.parent_path());
  if (!directory || !files_->nodes.at(*directory).directory) return std::nullopt;
  return Place{.directory = *directory, .name = path.filename().string()};
}

SimulatedDisk::NodeId SimulatedDisk::Make(bool directory) {
  const NodeId id = ++files_->last;
  files_->nodes[id].directory = directory;
  return id;
}

void SimulatedDisk::Change(NameChange change) {
  change.ApplyTo([this](NodeId id) -> auto& { return files_->nodes.at(id).names; });
  files_->changes.push_back(std::move(change));
}

std::uint64_t SimulatedDisk::LinksTo(NodeId wanted) const {
  std::uint64_t links = 0;
  for (const auto& [id, node] : files_->nodes) {
    for (const auto& [name, child] : node.names) links += child == wanted ? 1 : 0;
  }
  return links;
}

DiskResult<std::unique_ptr<DiskFile>> SimulatedDisk::Open(const fs::path& file, Access access) {
  const std::lock_guard lock(mutex_);
  auto node = Find(file);
  if (!node && (access == Access::kRead || access == Access::kOverDamage))
    return Failed(ENOENT, "open", file);
  if (node && files_->nodes.at(*node).directory) return Failed(EISDIR, "open", file);
  if (!node) {
    const auto place = PlaceOf(file);
    if (!place) return Failed(ENOENT, "open", file);
    Tell(Operation::kNames);
    node = Make(false);
    Change({.child = *node, .from = std::nullopt, .to = place});
  }
  auto opened = std::make_unique<SimulatedFile>(*this, *node, file);
  if (access == Access::kReplace) {
    if (auto emptied = opened->Resize(0); !emptied) return std::unexpected(emptied.error());
  }
  return opened;
}

DiskResult<void> SimulatedDisk::MakeDirectory(const fs::path& directory) {
  const std::lock_guard lock(mutex_);
  const auto place = PlaceOf(directory);
  if (!place) return Failed(ENOENT, "make", directory);
  if (Find(directory)) return Failed(EEXIST, "make", directory);
  Tell(Operation::kNames);
  Change({.child = Make(true), .from = std::nullopt, .to = place});
  return {};
}

DiskResult<std::optional<storage::Disk::Facts>> SimulatedDisk::Look(const fs::path& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = Find(path);
  if (!found) return std::optional<Facts>();
  const Node& node = files_->nodes.at(*found);
  return Facts{
      .bytes = node.content.size(), .directory = node.directory, .links = LinksTo(*found), .modified_s = 0};
}

DiskResult<void> SimulatedDisk::MayUse(const fs::path& directory, bool) const {
  const std::lock_guard lock(mutex_);
  if (!Find(directory)) return Failed(ENOENT, "use", directory);
  return {};
}

DiskResult<std::vector<std::string>> SimulatedDisk::List(const fs::path& directory) const {
  const std::lock_guard lock(mutex_);
  const auto found = Find(directory);
  if (!found) return Failed(ENOENT, "list", directory);
  std::vector<std::string> names;
  for (const auto& [name, child] : files_->nodes.at(*found).names) names.push_back(name);
  return names;
}

DiskResult<void> SimulatedDisk::Remove(const fs::path& file) {
  const std::lock_guard lock(mutex_);
  const auto node = Find(file);
  if (!node) return Failed(ENOENT, "remove", file);
  if (files_->nodes.at(*node).directory) return Failed(EISDIR, "remove", file);
  Tell(Operation::kNames);
  Change({.child = *node, .from = PlaceOf(file), .to = std::nullopt});
  return {};
}

DiskResult<void> SimulatedDisk::RemoveDirectory(const fs::path& directory) {
  const std::lock_guard lock(mutex_);
  const auto node = Find(directory);
  if (!node) return Failed(ENOENT, "remove", directory);
  if (!files_->nodes.at(*node).names.empty()) return Failed(ENOTEMPTY, "remove", directory);
  Tell(Operation::kNames);
  Change({.child = *node, .from = PlaceOf(directory), .to = std::nullopt});
  return {};
}

DiskResult<void> SimulatedDisk::Rename(const fs::path& from, const fs::path& to) {
  const std::lock_guard lock(mutex_);
  const auto node = Find(from);
  const auto place = PlaceOf(to);
  if (!node || !place) return Failed(ENOENT, "rename", from);
  Tell(Operation::kNames);
  Change({.child = *node, .from = PlaceOf(from), .to = place});
  return {};
}

DiskResult<void> SimulatedDisk::Link(const fs::path& file, const fs::path& name) {
  const std::lock_guard lock(mutex_);
  const auto node = Find(file);
  const auto place = PlaceOf(name);
  if (!node || !place) return Failed(ENOENT, "link", file);
  if (Find(name)) return Failed(EEXIST, "link", name);
  Tell(Operation::kNames);
  Change({.child = *node, .from = std::nullopt, .to = place});
  return {};
}

DiskResult<void> SimulatedDisk::SyncDirectory(const fs::path& directory) {
  const std::lock_guard lock(mutex_);
  const auto node = Find(directory);
  if (!node) return Failed(ENOENT, "sync", directory);
  Tell(Operation::kSyncNames);
  auto& changes = files_->changes;
  for (NameChange& change : changes) {
    if (change.from && change.from->directory == *node) change.from_synced = true;
    if (change.to && change.to->directory == *node) change.to_synced = true;
    if (change.IsDurable())
      change.ApplyTo([this](NodeId id) -> auto& { return files_->nodes.at(id).durable_names; });
  }
  std::erase_if(changes, [](const NameChange& change) { return change.IsDurable(); });
  return {};
}

DiskResult<std::uint64_t> SimulatedDisk::FreeBytes(const fs::path&) const {
  return std::uint64_t{1} << 40;
}

DiskResult<std::unique_ptr<DiskLock>> SimulatedDisk::Lock(const fs::path& file, LockMode mode) {
  const std::lock_guard lock(mutex_);
  if (const auto opened = Open(file, Access::kUpdate); !opened) return std::unexpected(opened.error());
  int& holders = locks_[file.string()];
  const bool exclusive = mode == LockMode::kExclusive;
  if (holders != 0 && (exclusive || holders < 0)) return std::unique_ptr<DiskLock>();
  holders += exclusive ? -1 : 1;
  return std::make_unique<HeldLock>(*this, file.string(), exclusive);
}

}  // namespace weir::tests
