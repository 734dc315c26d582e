-- Sends the requests of a file, each as its length, a line feed and its bytes; thread N of T takes every T-th from N on.
-- wrk -s load.lua URL -- FILE T

local count = 0

function setup(thread)
  thread:set("id", count)
  count = count + 1
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local threads = tonumber(args[2])
  local number = 0
  messages = {}
  at = 0
  while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    local message = file:read(length)
    if number % threads == id then messages[#messages + 1] = message end
    number = number + 1
  end
  file:close()
end

function request()
  at = at % #messages + 1
  return messages[at]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "most": %.6f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    latency.max / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
