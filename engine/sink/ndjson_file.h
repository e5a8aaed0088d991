// An append-only file of lines that survives crashes and fills up in pieces.
//
// What Append accepted is on stable storage. A crash can leave a torn line behind it; opening cuts that off, if it is a
// line of ours. What somebody else wrote is never cut: an end without a line break gets one, and a file that holds NULs
// which no crash of ours explains is refused.
// A piece that has grown to `rotate_bytes`, or is `rotate_age_s` old when something is written, is renamed to
//   <stem>-<sequence of its first line>-<sequence of its last line><extension>
// with 20 digits each, so that names sort,
// and a new one is begun under the configured name. No piece is ever overwritten or deleted. A file that
// somebody else moved away or deleted is begun anew.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/io/socket.h"
#include "storage/event.h"

namespace weir::sink {

class NdjsonFile {
 public:
  struct Options {
    std::filesystem::path path;
    std::uint64_t rotate_bytes = 0;  // 0 = never
    std::int64_t rotate_age_s = 0;   // 0 = never
  };

  // Whole lines, as they go into the file together.
  struct Batch {
    std::string_view lines;
    storage::Sequence first = storage::kNoSequence;  // of the first line
    storage::Sequence last = storage::kNoSequence;   // of the last line
  };

  // Opens or creates. The file is locked: a second sink or process that has it open is an error.
  static std::expected<NdjsonFile, std::string> Open(Options options);

  // Writes and syncs. On an error none of the batch counts: what was written of it is cut off again, and if that is
  // not certain, because a sync failed or somebody else wrote behind it, the file is set aside under its rotated name
  // and the next Append begins a new one. The lines are to be given again; a set-aside file can hold them twice,
  // never not at all.
  std::expected<void, std::string> Append(const Batch& batch, std::int64_t now_unix_s);
  // After an error: nothing was written, because the file could not be opened. Whatever stands in the way, here as at
  // the start, events wait for it and no attempt was made.
  bool unopened() const { return unopened_; }

 private:
  explicit NdjsonFile(Options options) : options_(std::move(options)) {}
  std::expected<void, std::string> Begin();
  std::expected<void, std::string> OpenAndMend();
  std::expected<void, std::string> MendEnd();
  std::expected<void, std::string> CutTo(std::uint64_t size);
  std::expected<void, std::string> ReadEnds();
  std::expected<storage::Sequence, std::string> SequenceOfLineBefore(std::uint64_t end) const;
  std::expected<void, std::string> Write(std::string_view lines);
  std::expected<void, std::string> Rotate();
  bool IsAsLeft() const;
  bool RotationDue(std::int64_t now_unix_s) const;
  bool TakeBack(std::size_t bytes_at_most);
  void SetAside();

  Options options_;
  io::Descriptor file_;               // not valid: Begin at the next Append
  std::uint64_t size_ = 0;            // bytes known to be durable; nothing behind them counts
  std::int64_t begun_at_unix_s_ = 0;  // when this piece was created
  storage::Sequence first_ = storage::kNoSequence;
  storage::Sequence last_ = storage::kNoSequence;
  bool unopened_ = false;
};

}  // namespace weir::sink
