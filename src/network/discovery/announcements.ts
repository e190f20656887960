import type { Membership } from '../../protocol/membership/membership.ts'
import type { AddressBook } from '../address-book.ts'
import type { Connector } from '../connector.ts'

/**
 * Members say where they listen, in statements that everybody passes on: whoever reaches one member knows where all are.
 * What worked last comes first all the same.
 * @returns what ends it
 */
export function followAnnouncements(
  membership: Membership,
  { book, connector }: { readonly book: AddressBook; readonly connector: Connector },
): () => void {
  for (const node of membership.keys()) {
    book.announced(node, [...book.of(node), ...membership.addressesOf(node)])
  }
  return membership.onChange(({ added }) => {
    for (const statement of added) {
      if (statement.kind !== 'announcement') continue
      book.announced(statement.device, statement.addresses)
      connector.reached(statement.device)
    }
  })
}
