#include "engine/sink/open_sink.h"

#include <utility>

#include "engine/sink/file_sink.h"
#include "engine/sink/http_sink.h"
#include "storage/check.h"

namespace weir::sink {

std::expected<std::unique_ptr<Sink>, std::string> OpenSink(const config::Sink& config, io::EventfdWake& wake,
                                                           Sink::Report report) {
  switch (config.kind) {
    case config::SinkKind::kHttp:
      return HttpSink::Create(config, wake, std::move(report));
    case config::SinkKind::kFile:
      return FileSink::Create(config, wake, std::move(report));
  }
  WEIR_CHECK(false);
}

}  // namespace weir::sink
