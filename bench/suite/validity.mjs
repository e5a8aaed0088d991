// Why a measurement says nothing; empty when it does.
export function voidBecause(row) {
  const reasons = [];
  if (row.others_busy > 0.1) reasons.push(`other work on ${row.others_busy.toFixed(2)} cores`);
  if (row.starved_s > 0) reasons.push(`${row.starved_s.toFixed(2)} s without a signed request`);
  if (row.connect_errors > 0) reasons.push(`${row.connect_errors} connect errors`);
  if (row.client_busy > 0.95) reasons.push('the load tool was the limit');
  return reasons.join(', ');
}
