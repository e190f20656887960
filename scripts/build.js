// Builds what is out of date, and nothing otherwise.
import { makeBuilt } from './ready.js'

makeBuilt()
