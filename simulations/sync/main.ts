import { playSeeds } from '../play-seeds.ts'
import { playSync } from './scenario.ts'

/** Plays devices that keep directories in step with one folder. */
await playSeeds('simulate-sync', playSync)
