// The sink that a [[sink]] describes.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "engine/config/config.h"
#include "engine/io/wake.h"
#include "engine/sink/sink.h"

namespace weir::sink {

// `wake` ends a Turn that waits; it and what `report` refers to outlive the sink. The error names what is
// wrong with the configuration or the machine, without the sink's name.
std::expected<std::unique_ptr<Sink>, std::string> OpenSink(const config::Sink& config, io::EventfdWake& wake,
                                                           Sink::Report report);

}  // namespace weir::sink
