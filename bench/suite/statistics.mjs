export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const spread = values => ({median: median(values), min: Math.min(...values), max: Math.max(...values)});

// Of {total, shard, ...}: the median of each.
export const medianCost = costs =>
  Object.fromEntries(Object.keys(costs[0]).map(group => [group, median(costs.map(cost => cost[group]))]));
