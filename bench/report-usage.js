import { writeFileSync } from 'node:fs'

// Loaded before a measured command (node --import): writes at its end what the whole process used, all threads
// included. JavaScript, since the command runs on plain Node as users run it. Commands it starts do not inherit it.
const path = process.env.HAYLOFT_BENCH_USAGE
delete process.env.HAYLOFT_BENCH_USAGE
if (path !== undefined) {
  process.on('exit', () => {
    writeFileSync(path, JSON.stringify(process.resourceUsage()))
  })
}
