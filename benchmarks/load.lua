-- Sends the requests of a file, each as its length, a line feed and its bytes; thread N of T takes every T-th from N on.
-- Where there are fewer requests than threads, each takes all: a thread without any would hold its connections open and
-- say nothing, until the server rightly ends them.
-- wrk -s load.lua URL -- FILE T

local count = 0

function setup(thread)
  thread:set("id", count)
  count = count + 1
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local threads = tonumber(args[2])
  local all = {}
  at = 0
  while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    all[#all + 1] = file:read(length)
  end
  file:close()
  messages = all
  if #all >= threads then
    messages = {}
    for number = id + 1, #all, threads do messages[#messages + 1] = all[number] end
  end
end

function request()
  at = at % #messages + 1
  return messages[at]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "most": %.6f,'
    .. ' "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    latency.max / 1e6, errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
