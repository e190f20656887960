import { playSeeds } from '../play-seeds.ts'
import { playMerges } from './scenario.ts'

/** Plays devices that edit and merge one folder, against the causal oracle. */
await playSeeds('simulate-merge', playMerges)
