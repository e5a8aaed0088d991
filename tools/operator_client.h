// The operator's API of one data directory: of the server that holds it, through DIR/admin.sock, or, when
// none runs, over the store opened by this process. The commands cannot tell the difference, except where
// they ask.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/admin/api_request.h"

namespace weir::tools {

// Why a command cannot go on: what to print on stderr and what to exit with.
struct CommandFailure {
  int exit_code;
  std::string message;
};

template <typename T>
using CommandResult = std::expected<T, CommandFailure>;

enum class Access { kRead, kWrite };  // whether a store opened here must take changes

class OperatorClient {
 public:
  // kNotReachable when another process holds the store but no server answers, kUsage when there is no store
  // at `data`.
  static CommandResult<std::unique_ptr<OperatorClient>> Open(const std::filesystem::path& data,
                                                             Access access);
  // The server only; kNotReachable when none answers. The store is not opened.
  static CommandResult<std::unique_ptr<OperatorClient>> Reach(const std::filesystem::path& data);
  ~OperatorClient();

  // True when a server answers.
  bool online() const;

  // The answer of a request that succeeded; anything else is a failure with the reason the API gave.
  CommandResult<admin::ApiReply> Get(std::string path, admin::Parameters parameters);
  CommandResult<admin::ApiReply> Post(std::string path, admin::Parameters parameters);
  CommandResult<admin::ApiReply> Put(std::string path, admin::Parameters parameters, std::string body);

 private:
  struct State;
  explicit OperatorClient(std::unique_ptr<State> state);
  static CommandResult<std::unique_ptr<OperatorClient>> ReachServer(const std::filesystem::path& data);
  CommandResult<admin::ApiReply> Ask(const admin::ApiRequest& request);
  std::unique_ptr<State> state_;
};

}  // namespace weir::tools
