// Prints `N passed, N failed` from vitest's JSON report and the names of the checks that failed.
import { readFileSync } from 'node:fs'

const [reportPath, ...failedChecks] = process.argv.slice(2)
const { passed, failed } = countTests(readReport())
// The check "tests" fails because of tests that are counted already; if none is, something outside of them broke.
const others = failedChecks.filter((name) => name !== 'tests' || failed === 0).length
process.stdout.write(`${passed} passed, ${failed + others} failed\n`)

function readReport() {
  try {
    return JSON.parse(readFileSync(reportPath, 'utf8'))
  } catch {
    return undefined
  }
}

function countTests(report) {
  if (report === undefined) return { passed: 0, failed: 0 }
  // A file that cannot be loaded has no tests to count, and is a failure nevertheless.
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded }
}
