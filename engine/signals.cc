#include "engine/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/io/system_error.h"

namespace weir {
namespace {

constexpr int kHandled[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
// SIGXFSZ: a limit of file sizes is then an error of the write, which is reported where it happens. SIGPIPE: likewise.
// The rest ends a process by default and is nobody's way to say so; realtime signals are ignored as well.
constexpr int kIgnored[] = {SIGUSR2, SIGPIPE, SIGXFSZ, SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF,
                            SIGIO,   SIGURG,  SIGPWR,  SIGTTOU, SIGTTIN, SIGSTKFLT};

sigset_t SetOf(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

volatile sig_atomic_t end_with = 0;

void End(int) {
  ::_exit(end_with);
}

}  // namespace

std::expected<Signals, std::string> Signals::Take() {
  for (const int signal : kIgnored) ::signal(signal, SIG_IGN);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_IGN);
  sigset_t handled;
  sigemptyset(&handled);
  for (const int signal : kHandled) sigaddset(&handled, signal);
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
  io::Descriptor fd(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return std::unexpected(io::DescribeError("signalfd", errno));
  return Signals(std::move(fd));
}

std::optional<int> Signals::Next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

void Signals::EndBy(std::int64_t within_ms, int exit_code) {
  end_with = exit_code;
  struct sigaction action{};
  action.sa_handler = End;
  for (const int signal : {SIGTERM, SIGINT, SIGALRM}) sigaction(signal, &action, nullptr);
  const std::int64_t ms = std::max<std::int64_t>(within_ms, 1);
  const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
  const sigset_t ending = SetOf({SIGTERM, SIGINT, SIGALRM});
  pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
}

}  // namespace weir
