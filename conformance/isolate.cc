#include "conformance/isolate.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace cardea::conformance {
namespace {

// A record is a kind, a name, and a detail, separated by tabs and closed by a newline.
std::string record(char kind, const std::string& name, const std::string& detail) {
  std::string line = std::string(1, kind) + "\t" + name + "\t" + detail;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line + "\n";
}

void write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(fd, text.data() + done, text.size() - done);
    if (n <= 0) _exit(3);
    done += static_cast<std::size_t>(n);
  }
}

[[noreturn]] void child(int fd, const std::string& name, const IsolatedWork& work) {
  const auto sink = [fd](const Finding& finding) {
    const char kind = finding.verdict == Verdict::pass ? 'P' : finding.verdict == Verdict::fail ? 'F' : 'S';
    write_all(fd, record(kind, finding.name, finding.detail));
  };
  const auto announce = [fd](const std::string& step) { write_all(fd, record('B', step, "")); };
  try {
    work(sink, announce);
  } catch (const StepFailed& failed) {
    sink({name, Verdict::fail, failed.detail});
  } catch (const StepSkipped& skipped) {
    sink({name, Verdict::skip, skipped.reason});
  } catch (const std::exception& error) {
    sink({name, Verdict::fail, error.what()});
  }
  write_all(fd, record('E', name, ""));
  _exit(0);
}

struct Reader {
  std::vector<Finding> findings;
  std::string current;
  bool ended = false;
  std::string pending;

  void take(const char* data, std::size_t size) {
    pending.append(data, size);
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      line(pending.substr(0, end));
      pending.erase(0, end + 1);
    }
  }

  void line(const std::string& text) {
    const std::size_t first = text.find('\t');
    const std::size_t second = text.find('\t', first + 1);
    if (first != 1 || second == std::string::npos) return;
    const std::string name = text.substr(2, second - 2);
    const std::string detail = text.substr(second + 1);
    switch (text[0]) {
      case 'B':
        current = name;
        break;
      case 'E':
        ended = true;
        break;
      case 'P':
        findings.push_back({name, Verdict::pass, detail});
        break;
      case 'S':
        findings.push_back({name, Verdict::skip, detail});
        break;
      default:
        findings.push_back({name, Verdict::fail, detail});
        break;
    }
  }
};

/// Reads until the child closes the pipe; false when time ran out first.
bool read_until(int fd, int seconds, Reader& reader) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{fd, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(left.count())) <= 0) continue;
    char buffer[4096];
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n <= 0) return true;
    reader.take(buffer, static_cast<std::size_t>(n));
    if (reader.ended) return true;
  }
}

}  // namespace

std::vector<Finding> isolate(const std::string& name, int seconds, const IsolatedWork& work) {
  int ends[2];
  if (pipe(ends) != 0) return {{name, Verdict::fail, "no pipe to be had"}};
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid < 0) {
    close(ends[0]);
    close(ends[1]);
    return {{name, Verdict::fail, "no child process to be had"}};
  }
  if (pid == 0) {
    close(ends[0]);
    child(ends[1], name, work);
  }
  close(ends[1]);
  Reader reader;
  reader.current = name;
  const bool in_time = read_until(ends[0], seconds, reader);
  if (!in_time) kill(pid, SIGKILL);
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (!in_time) {
    reader.findings.push_back({reader.current, Verdict::fail, "no end within " + std::to_string(seconds) + " s"});
  } else if (!reader.ended && WIFSIGNALED(status)) {
    reader.findings.push_back({reader.current, Verdict::fail, "died of signal " + std::to_string(WTERMSIG(status))});
  } else if (!reader.ended) {
    reader.findings.push_back({reader.current, Verdict::fail, "the process ended early"});
  }
  return reader.findings;
}

}  // namespace cardea::conformance
