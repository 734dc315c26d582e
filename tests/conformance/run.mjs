// Runs the suite through the cache at the URL given, and prints one verdict for each test as JSON.
//   node run.mjs http://127.0.0.1:PORT shared|private
import fetch from 'node-fetch'
import { runTests, getResults } from 'http-cache-tests/client/runner.mjs'
import { determineTestResult } from 'http-cache-tests/lib/display.mjs'
import surrogate from 'http-cache-tests/tests/surrogate-control.mjs'
import suites from 'http-cache-tests/tests/index.mjs'

const [base, mode] = process.argv.slice(2)
const isPrivate = mode === 'private' // the suite's own word for it is browser

// What the suite shows as symbols.
const verdicts = {
  '✅': 'pass',
  '⛔️': 'fail',
  '⚠️': 'optional-fail',
  Y: 'yes',
  N: 'no',
  '🔹': 'setup-fail',
  '⁉️': 'harness-fail',
  '⚪️': 'dependency-fail',
  '↻': 'retry',
  '-': 'untested'
}

const all = [...suites, surrogate]
await runTests(all, fetch, isPrivate, base, 120)
const results = getResults()
const lines = []
for (const suite of all) {
  for (const test of suite.tests) {
    const result = results[test.id]
    lines.push({
      id: test.id,
      group: suite.id,
      kind: test.kind ?? 'required',
      verdict: verdicts[determineTestResult(all, test.id, results)[2]],
      detail: Array.isArray(result) ? result[1] : ''
    })
  }
}
console.log(JSON.stringify(lines))
