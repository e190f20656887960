/** Where every simulated device has its synced directory. */
export const ROOT = '/home/hay'
/** What the marker in it says. */
export const SYNC_ID = 'a simulation'
