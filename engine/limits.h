// Every fixed bound of the engine, with its unit, and the relations between them. Includes nothing of ours,
// so any folder may read it. What two operators would set differently is configuration, not a limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::limits {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// --- HTTP (engine/http): the head of one request -----------------------------------------------------------
inline constexpr std::size_t kHeaderFieldsMax = 100;  // fields
// Request-target; RFC 9112 §3 asks for at least 8000 octets.
inline constexpr std::size_t kTargetBytesMax = 8 * kKiB;
inline constexpr std::size_t kHeadBytesCeiling = 64 * kKiB;  // what [server.limits] headers may be raised to
inline constexpr std::size_t kChunkExtensionBytesMax = 1 * kKiB;  // per chunk
inline constexpr std::size_t kChunkExtensionBytesPerMessageMax = 16 * kKiB;
inline constexpr std::size_t kTrailerBytesMax = 4 * kKiB;
// All of a chunked body but its data, beyond one byte each: 65,536 chunks of one byte fit.
inline constexpr std::size_t kChunkFramingBytesMax = 256 * kKiB;
inline constexpr std::size_t kLeadingEmptyLinesMax = 8;  // before a request

// --- HTTP: the answers of sinks ----------------------------------------------------------------------------
// Heads of one answer, interim ones included: read, not kept; past it the status suffices.
inline constexpr std::size_t kResponseHeadBytesMax = 1 * kMiB;
inline constexpr std::size_t kResponseLineBytesMax = 4 * kKiB;  // kept of one header line
// Read to keep a connection; past it the status suffices.
inline constexpr std::size_t kResponseBodyBytesMax = 16 * kMiB;

// --- Shards (engine/io, engine/ingest) ---------------------------------------------------------------------
inline constexpr unsigned kRingEntries = 4096;  // submission entries; the completion ring is four times this
inline constexpr std::size_t kReceiveBufferBytes = 8 * kKiB;  // one provided buffer, padding included
inline constexpr std::size_t kReceiveBuffers = 2048;          // provided buffers a shard, a power of two
inline constexpr std::size_t kConnectionsPerShardMax = 1 << 16;
inline constexpr std::size_t kPipelinedRequestsMax = 16;  // requests of one connection awaiting their commit
inline constexpr std::size_t kBodyBytesCeiling = 64 * kMiB;  // what a source may raise `body` to
inline constexpr std::size_t kCompletionsPerTurn = 1024;     // handled before the ring is entered again
inline constexpr std::size_t kAcksPerTurn = 4096;
inline constexpr int kListenBacklog = 4096;
// Beyond [server.limits] connections, only to be told 503.
inline constexpr std::size_t kRefusalConnections = 64;
// Received from one connection and not yet looked at.
inline constexpr std::size_t kBacklogBytesMax = 1 * kMiB;
// Discarded after an early answer, so that it can be read.
inline constexpr std::size_t kLingerBytesMax = 16 * kMiB;
inline constexpr std::int64_t kLingerMs = 2'000;
inline constexpr std::int64_t kDrainIdleMs = 100;      // what is left of the idle timeout while draining
inline constexpr std::int64_t kAcceptRetryMs = 100;    // after the process ran out of descriptors
inline constexpr std::int64_t kTurnWaitMsMax = 1'000;  // a shard looks at its gate at least this often
inline constexpr std::uint32_t kRetryAfterS = 1;
inline constexpr std::size_t kSparePartialRequests = 64;  // kept for reuse: requests that arrive in pieces
inline constexpr std::size_t kSparePartialBytes = 16 * kKiB;  // a larger buffer is given back at once
// Freed by partial requests before the heap is trimmed in a quiet moment.
inline constexpr std::size_t kTrimBytes = 1 * kMiB;
inline constexpr std::size_t kSpareSendBuffers = 1024;
inline constexpr std::size_t kSpareSendBufferBytes = 4 * kKiB;
inline constexpr std::size_t kSpareSlabs = 64;

// simdjson reads this far past the end of its input; every buffer that holds a body keeps that much slack.
inline constexpr std::size_t kJsonPaddingBytes = 64;

// --- Events ------------------------------------------------------------------------------------------------
inline constexpr std::size_t kEventIdBytesMax = 512;
inline constexpr std::size_t kEventTypeBytesMax = 256;
inline constexpr std::size_t kSourceNameBytesMax = 64;
inline constexpr std::size_t kEventsPerRequestMax = 4096;  // a batch delivered in one request

// --- Commit ------------------------------------------------------------------------------------------------
// Appends waiting for the committer, all shards together.
inline constexpr std::size_t kCommitQueueEvents = 1 << 16;
inline constexpr std::size_t kCommitGroupEventsMax = 4096;  // events in one WriteBatch
inline constexpr std::size_t kCommitGroupBytesMax = 16 * kMiB;
inline constexpr std::size_t kSlabBytes = 256 * kKiB;  // encoded records a shard hands over together

// --- Delivery ----------------------------------------------------------------------------------------------
inline constexpr std::size_t kTailGroups = 256;  // committed groups a sink's tail queue holds
// And their bytes; past either the worker reads the log.
inline constexpr std::size_t kTailBytesMax = 32 * kMiB;
inline constexpr std::size_t kSettledAboveMax = 8192;  // events settled out of order above a sink's offset
// Retries a sink may have waiting before it stops reading.
inline constexpr std::size_t kRetryScheduleMax = 100'000;
inline constexpr std::int64_t kSettlementIntervalMs = 20;  // between two writes of a sink's position

// --- Sinks (engine/sink) -----------------------------------------------------------------------------------
inline constexpr std::int64_t kSinkConnectTimeoutMs = 5'000;   // to one address
inline constexpr std::int64_t kSinkAnswerRestMs = 1'000;       // for a refusal's body, behind its status line
inline constexpr std::size_t kSinkAnswerKeptBytes = 4 * kKiB;  // of an answer's body, for the dead letter
inline constexpr std::size_t kSinkReceiveBytes = 4 * kKiB;     // a connection's receive buffer
inline constexpr std::size_t kSinkRequestKeptBytes = 64 * kKiB;  // request buffer an idle connection may keep
inline constexpr std::size_t kSinkInFlightBytes = 64 * kMiB;     // requests of a sink, passed by at most one
inline constexpr unsigned kSinkRingEntries = 4096;               // submission entries, at most
inline constexpr std::int64_t kResolvedKeptMs = 30'000;          // a host name's addresses
inline constexpr std::int64_t kResolveFailureKeptMs = 5'000;     // or that it had none
inline constexpr std::size_t kFileSinkBatchEvents = 4096;        // lines written with one sync
inline constexpr std::size_t kFileSinkBatchBytes = 4 * kMiB;     // passed by at most one line
inline constexpr std::int64_t kFileSinkSyncIntervalMs = 50;      // between two syncs while events keep coming

// --- Verification ------------------------------------------------------------------------------------------
// Stripe sends one a secret and mode; each costs a compare.
inline constexpr std::size_t kSignaturesPerRequestMax = 128;
inline constexpr std::size_t kSignatureHeaderBytesMax = 8 * kKiB;
inline constexpr std::size_t kSecretsPerSourceMax = 16;
// Signatures x keys; each costs 50 to 150 us.
inline constexpr std::size_t kPublicKeyChecksPerRequestMax = 16;
inline constexpr std::size_t kHandshakeEchoBytesMax = 4 * kKiB;  // of one value a handshake sends back
inline constexpr std::size_t kJsonKeysMax = 256;    // of an object whose fields are signed one by one
inline constexpr std::size_t kAdyenItemsMax = 64;   // of a notification that signs each
inline constexpr std::size_t kFormPairsMax = 1000;  // of a form whose fields are signed

// --- Admin (engine/admin): one request, one bounded step; longer answers are asked for in several ----------
inline constexpr std::size_t kAdminThreads = 4;      // answering, a listener
inline constexpr std::size_t kAdminWaitingMax = 16;  // connections of a listener waiting for one of them
// Memory that has to be there before a configuration is read again, and before a question is answered.
inline constexpr std::size_t kReloadBytes = 8 * kMiB;
inline constexpr std::size_t kAdminAnswerBytes = 4 * kMiB;
inline constexpr std::size_t kAdminRequestBytesMax = 64 * kKiB;  // body of a request to the API
inline constexpr std::size_t kAdminRowsMax = 1000;               // rows of one answer
inline constexpr std::size_t kAdminRowsDefault = 50;             // where the request names no limit
// Unreadable events that an answer names; it counts them all.
inline constexpr std::size_t kUnreadableNamedMax = 20;
inline constexpr std::size_t kAdminScanEventsMax = 50'000;  // events looked at for one answer
inline constexpr std::size_t kExportPageBytes = 4 * kMiB;   // of one answer, passed by at most one event
// Dead letters retried or dropped by one request.
inline constexpr std::size_t kDeadLettersPerActionMax = 10'000;
inline constexpr std::size_t kExportCursorBytesMax = 4 * kKiB;  // a cursor's stored text

// --- Disk: what [server.limits] min_free_disk may be lowered to
inline constexpr std::uint64_t kMinFreeDiskBytesMin = 64 * kMiB;

// --- Configuration -----------------------------------------------------------------------------------------
inline constexpr std::size_t kConfigFileBytesMax = 4 * kMiB;
inline constexpr std::size_t kSecretBytesMax = 64 * kKiB;  // a PEM chain fits
inline constexpr std::size_t kListenAddressesMax = 16;
inline constexpr std::size_t kSourcesMax = 1000;
inline constexpr std::size_t kSinksMax = 64;  // each has a thread and a tail queue
inline constexpr std::size_t kRoutesMax = 1000;
inline constexpr std::size_t kTypesPerRouteMax = 100;
inline constexpr unsigned kIngestThreadsMax = 256;
inline constexpr std::size_t kSinkNameBytesMax = 64;
inline constexpr std::size_t kSinkConcurrencyMax = 4096;  // attempts in flight

static_assert((kReceiveBuffers & (kReceiveBuffers - 1)) == 0 && kReceiveBuffers <= 32768);
static_assert(kConnectionsPerShardMax <= (1u << 24), "a connection slot is 24 bits of user_data");
static_assert(kChunkExtensionBytesPerMessageMax + kTrailerBytesMax <= kChunkFramingBytesMax);
static_assert(kSlabBytes <= kCommitGroupBytesMax);
static_assert(kSinkConcurrencyMax <= kSettledAboveMax && kFileSinkBatchEvents <= kSettledAboveMax,
              "what is in flight must fit the window above the offset");

}  // namespace weir::limits
