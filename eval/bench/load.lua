-- Posts chat completions whose prompts all differ, so that no cache answers.
-- From the environment: KEY, MODEL, STREAM (true or false), FIRST (number of the first prompt).
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer " .. os.getenv("KEY")

local ask = {
  "What is %d * 7?",
  "Write a friendly note to customer %d about the weather.",
}
local number = tonumber(os.getenv("FIRST"))
local body = '{"model": "' .. os.getenv("MODEL") .. '", "stream": ' .. os.getenv("STREAM")
  .. ', "messages": [{"role": "user", "content": "%s"}]}'

function request()
  number = number + 1
  local prompt = string.format(ask[number % #ask + 1], number)
  return wrk.format(nil, nil, nil, string.format(body, prompt))
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50_us": %d, "p95_us": %d, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(95),
    e.connect + e.read + e.write + e.status + e.timeout))
end
