// An HTTP server on 127.0.0.1 that answers each request as a script says, faults included, and remembers what
// it got. A thread a connection; everything ends with the object.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weir::tests {

struct PeerRequest {
  std::string head;  // request line and fields, with the empty line
  std::string body;
  unsigned connection = 0;  // 1 is the first that was accepted
  unsigned number = 0;      // on its connection, 1 is the first

  std::string Header(std::string_view name) const;  // ASCII case ignored; "" when absent
};

struct PeerAnswer {
  enum class Kind : std::uint8_t {
    kAnswer,
    kHang,           // says nothing until the client goes
    kDrip,           // interim answers, a byte every few milliseconds, forever
    kReset,          // RST instead of an answer
    kClose,          // FIN instead of an answer
    kVerbatim,       // `body` is sent as it is, then FIN
    kVerbatimReset,  // and then RST
    kVerbatimHang,   // and then nothing until the client goes
  };
  Kind kind = Kind::kAnswer;
  int status = 200;
  std::string fields = {};  // "Name: value\r\n" each
  std::string body = {};
  bool close = false;  // after the answer, without saying so in it
};

class ScriptedPeer {
 public:
  // Called for each request, one at a time.
  using Script = std::function<PeerAnswer(const PeerRequest&)>;
  explicit ScriptedPeer(Script script = [](const PeerRequest&) { return PeerAnswer{}; });
  ~ScriptedPeer();
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/events?x=1"; }

  std::vector<PeerRequest> requests() const;
  std::size_t count() const;
  unsigned connections() const;
  // Whether it had so many requests within ten seconds.
  bool WaitForRequests(std::size_t count) const;
  // Whether there were connections and all of them had ended within ten seconds.
  bool WaitForEnd() const;
  // Closes every connection once it waits for a request. Returns when that is done.
  void CloseAll();

 private:
  struct Connection {
    int fd;
    unsigned number;
    bool idle = false;
    bool open = true;
    std::thread thread;
  };
  void Accept();
  void Serve(Connection& connection);
  bool ReadRequest(Connection& connection, std::string& bytes, PeerRequest& request);
  bool Answer(const Connection& connection, const PeerAnswer& answer);

  Script script_;
  std::mutex script_mutex_;
  int listener_;
  std::uint16_t port_;

  mutable std::mutex mutex_;  // of everything below
  mutable std::condition_variable changed_;
  std::vector<PeerRequest> requests_;
  std::list<Connection> connections_;
  bool stopping_ = false;
  std::thread acceptor_;
};

// A port on 127.0.0.1 that nobody listens on.
std::uint16_t ClosedPort();

}  // namespace weir::tests
