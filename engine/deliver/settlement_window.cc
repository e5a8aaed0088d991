#include "engine/deliver/settlement_window.h"

#include "storage/check.h"

namespace weir::deliver {

using storage::Sequence;

SettlementWindow::SettlementWindow(const storage::SinkPosition& stored)
    : offset_(stored.offset), began_(stored.began), bits_(kWords) {
  for (const Sequence sequence : stored.above) {
    if (!IsSettled(sequence) && HasRoomFor(sequence)) Settle(sequence);
  }
}

bool SettlementWindow::IsSettled(Sequence sequence) const {
  if (sequence <= offset_) return true;
  return HasRoomFor(sequence) && (WordOf(sequence) & BitOf(sequence)) != 0;
}

void SettlementWindow::Settle(Sequence sequence) {
  WEIR_CHECK_GT(sequence, offset_);
  WEIR_CHECK(HasRoomFor(sequence));
  WEIR_CHECK(!IsSettled(sequence));
  WordOf(sequence) |= BitOf(sequence);
  ++settled_above_;
  while (settled_above_ > 0 && (WordOf(offset_ + 1) & BitOf(offset_ + 1)) != 0) {
    WordOf(offset_ + 1) &= ~BitOf(offset_ + 1);
    --settled_above_;
    ++offset_;
  }
}

storage::SinkPosition SettlementWindow::Position() const {
  storage::SinkPosition position{.offset = offset_, .above = {}, .began = began_};
  position.above.reserve(settled_above_);
  for (Sequence sequence = offset_ + 1; position.above.size() < settled_above_; ++sequence) {
    if (IsSettled(sequence)) position.above.push_back(sequence);
  }
  WEIR_CHECK_EQ(position.above.size(), settled_above_);
  return position;
}

}  // namespace weir::deliver
