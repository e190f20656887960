/** What asks routers to forward ports. A bundle of its own, read by nodes that may have such a router. */
export { pmpNat, upnpNat } from '@achingbrain/nat-port-mapper'
