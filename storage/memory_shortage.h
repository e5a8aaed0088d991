// What a thread does when operator new finds no memory. RocksDB, in the middle of a write or on a thread of its own,
// cannot be told: an exception there, or while a batch for it is made, ends the process, or leaves it unknown what was
// written. So whoever has not said otherwise waits until there is some, as for a disk that does not answer; those who can
// refuse or put off what they are doing say so, and are thrown std::bad_alloc.
#pragma once

#include <cstddef>

namespace weir {

// For the whole process. Before either is called every thread is thrown std::bad_alloc.
//
// While it starts: waiting would be for ever, and nothing has been acked. Whoever cannot do without ends the process with
// a sentence and exit code 1.
void EndWithoutMemory();
// Once it serves: whoever cannot do without waits.
void WaitForMemory();

// Whether so much can be had right now, for whoever would rather refuse than begin and wait. Somebody else may take it.
bool HasMemoryFor(std::size_t bytes);

// In its scope std::bad_alloc is thrown on this thread; somebody catches it.
class MayLackMemory {
 public:
  MayLackMemory();
  ~MayLackMemory();
  MayLackMemory(const MayLackMemory&) = delete;
  MayLackMemory& operator=(const MayLackMemory&) = delete;

 private:
  bool before_;
};

// In its scope this thread waits, whatever is said around it.
class MustHaveMemory {
 public:
  MustHaveMemory();
  ~MustHaveMemory();
  MustHaveMemory(const MustHaveMemory&) = delete;
  MustHaveMemory& operator=(const MustHaveMemory&) = delete;

 private:
  bool before_;
};

}  // namespace weir
