// `npm start`: installs and builds what is missing, then shows Hayloft at work on ten nodes of its own.
import { makeReady } from './ready.js'

makeReady()
// Only now is there something to load.
const { demonstrate } = await import('./demonstration.js')
await demonstrate()
