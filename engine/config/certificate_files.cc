#include "engine/config/certificate_files.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "engine/limits.h"

namespace weir::config {
namespace {

namespace fs = std::filesystem;
using Certificates = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kCertificatesMax = 64;

void AddFile(const fs::path& file, const Place& place, Findings& findings, Certificates& certificates) {
  const std::string name = file.filename().string();
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    return findings.Error(place, name + " cannot be opened: " + std::system_category().message(errno));
  std::string text(limits::kSecretBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad())
    return findings.Error(place, name + " cannot be read: " + std::system_category().message(errno));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > limits::kSecretBytesMax) {
    return findings.Error(place,
                          name + " is larger than " + std::to_string(limits::kSecretBytesMax) + " bytes");
  }
  if (std::ranges::find(certificates, name, &Certificates::value_type::first) != certificates.end()) {
    return findings.Error(place, "two certificates are called " + name);
  }
  certificates.emplace_back(name, std::move(text));
}

std::vector<fs::path> FilesIn(const fs::path& directory, std::error_code& error) {
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const bool hidden = entry->path().filename().native().starts_with('.');
    if (!hidden && entry->is_regular_file(error)) files.push_back(entry->path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

Certificates ReadCertificates(TableReader& reader, const Context& context) {
  Certificates certificates;
  Findings& findings = reader.findings();
  for (const Text& text : reader.Strings("certificates")) {
    if (text.value.empty()) {
      findings.Error(text.place, "is empty");
      continue;
    }
    const fs::path path = InDirectory(context, text.value);
    context.read.push_back(path);
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::is_directory(status)) {
      const std::vector<fs::path> files = FilesIn(path, error);
      if (error) findings.Error(text.place, "cannot be read: " + error.message());
      if (!error && files.empty()) {
        findings.Warning(text.place, "holds no certificate; everything is answered 503 until it does");
      }
      for (const fs::path& file : files) AddFile(file, text.place, findings, certificates);
    } else if (fs::is_regular_file(status)) {
      AddFile(path, text.place, findings, certificates);
    } else {
      findings.Error(text.place,
                     error ? "cannot be opened: " + error.message() : "is neither a file nor a directory");
    }
  }
  if (certificates.size() > kCertificatesMax) {
    reader.Error("certificates", "are more than " + std::to_string(kCertificatesMax));
  }
  return certificates;
}

}  // namespace weir::config
