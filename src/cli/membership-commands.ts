import type { GridCreateRequest } from './commands/grid-create.ts'
import type { GridInviteRequest } from './commands/grid-invite.ts'
import type { GridMemberRequest } from './commands/grid-member.ts'
import { commandContext, jsonOption, type ProgramContext } from './program-context.ts'

type Command = ProgramContext['program']
type Json = { readonly json?: true }

/** Commands of those who look after a grid, to be added to `grid`. */
export function addMembershipCommands(context: ProgramContext, grid: Command): void {
  addCreate(context, grid)
  addInvite(context, grid)
  addRevoke(context, grid)
  addMembers(context, grid)
  addLeave(context, grid)
}

function addCreate(context: ProgramContext, grid: Command): void {
  grid
    .command('create')
    .description('make a grid, of which you are the first member and the admin')
    .argument('<NAME>', 'what its members call it')
    .option('--as <name>', 'what the others are to call you (default: your user name)')
    .option('--offer <size>', 'keep files for your friends on this computer, up to so much')
    .option('--zone <name>', 'the household it stands in: nodes of one household are lost together')
    .option(
      '--listen <address...>',
      'where its storage node listens, such as /ip4/0.0.0.0/tcp/4001',
    )
    .option('--passphrase', 'keep the secrets of a new home under a passphrase, which is asked for')
    .addOption(jsonOption())
    .action(async (name: string, { json, ...options }: Omit<GridCreateRequest, 'name'> & Json) => {
      const { gridCreate } = await import('./commands/grid-create.ts')
      context.ended(await gridCreate({ name, ...options }, contextOf(json, context)))
    })
}

function addInvite(context: ProgramContext, grid: Command): void {
  grid
    .command('invite')
    .description('make an invite, a word that lets a friend in while you may be away; for admins')
    .option('--name <name>', 'whom it is for: what all others will call them')
    .option('--quota <size>', 'what they may store on each node (default: what their own offer)')
    .option('--uses <count>', 'how many people it lets in (default: 1)')
    .option('--expires <time>', 'how long it lasts: 12h, 7d, never (default: 7d)')
    .option('--role <role>', 'member, or admin for someone who may invite and remove others')
    .addOption(jsonOption())
    .action(async ({ json, ...options }: GridInviteRequest & Json) => {
      const { gridInvite } = await import('./commands/grid-invite.ts')
      context.ended(await gridInvite(options, contextOf(json, context)))
    })
}

function addRevoke(context: ProgramContext, grid: Command): void {
  grid
    .command('revoke')
    .description('take an invite back: it lets nobody else in; for admins')
    .argument('<INVITE>', 'the invite, as @FILE or -; or whom it is for, or its first digits')
    .addOption(jsonOption())
    .action(async (invite: string, { json }: Json) => {
      const { gridRevoke } = await import('./commands/grid-revoke.ts')
      context.ended(await gridRevoke({ invite }, contextOf(json, context)))
    })
}

function addMembers(context: ProgramContext, grid: Command): void {
  grid
    .command('members')
    .description('who belongs to it, with their devices and what they offer')
    .addOption(jsonOption())
    .action(async ({ json }: Json) => {
      const { gridMembers } = await import('./commands/grid-members.ts')
      context.ended(await gridMembers(contextOf(json, context)))
    })
  addMember(context, grid)
  grid
    .command('remove')
    .description('take someone out, everywhere at once; for admins')
    .argument('<NAME>', 'their name, or the first digits of their account')
    .addOption(jsonOption())
    .action(async (name: string, { json }: Json) => {
      const { gridRemove } = await import('./commands/grid-remove.ts')
      context.ended(await gridRemove({ name }, contextOf(json, context)))
    })
  grid
    .command('show')
    .description('the grid of this home in a few lines')
    .addOption(jsonOption())
    .action(async ({ json }: Json) => {
      const { gridShow } = await import('./commands/grid-show.ts')
      context.ended(await gridShow(contextOf(json, context)))
    })
}

function addMember(context: ProgramContext, grid: Command): void {
  grid
    .command('member')
    .description('show one member, or change what the grid says of them; changes are for admins')
    .argument('<NAME>', 'their name, or the first digits of their account')
    .option('--name <name>', 'what all are to call them')
    .option('--quota <size>', 'what they may store on each node; none: what their own offer')
    .option('--role <role>', 'member, or admin for someone who may invite and remove others')
    .option('--expires <time>', 'how long from now on they belong to it: 90d, 1w, never')
    .addOption(jsonOption())
    .action(async (member: string, { json, ...options }: MemberOptions) => {
      const { gridMember } = await import('./commands/grid-member.ts')
      context.ended(await gridMember({ member, ...options }, contextOf(json, context)))
    })
  grid
    .command('readmit')
    .description('take someone back in who was removed; for admins')
    .argument('<NAME>', 'their name, or the first digits of their account')
    .addOption(jsonOption())
    .action(async (name: string, { json }: Json) => {
      const { gridReadmit } = await import('./commands/grid-member.ts')
      context.ended(await gridReadmit({ name }, contextOf(json, context)))
    })
}

type MemberOptions = Omit<GridMemberRequest, 'member'> & Json

function addLeave(context: ProgramContext, grid: Command): void {
  grid
    .command('leave')
    .description('take this computer out of the grid; what its node keeps moves to others first')
    .option('--now', 'leave what it keeps behind: files of your friends may be lost')
    .addOption(jsonOption())
    .action(async ({ json, now }: Json & { readonly now?: true }) => {
      const { gridLeave } = await import('./commands/grid-leave.ts')
      context.ended(await gridLeave({ now: now === true }, contextOf(json, context)))
    })
}

/** Commands about the devices of one account. */
export function addDeviceCommands(context: ProgramContext): void {
  const device = context.program
    .command('device')
    .description('the computers that are yours')
    .helpCommand(false)
  device
    .command('add')
    .description(
      'make a word that lets another computer of yours in: as strong as the recovery key',
    )
    .addOption(jsonOption())
    .action(async ({ json }: Json) => {
      const { deviceAdd } = await import('./commands/device.ts')
      context.ended(await deviceAdd(contextOf(json, context)))
    })
  device
    .command('list')
    .description('which there are, and what they offer')
    .addOption(jsonOption())
    .action(async ({ json }: Json) => {
      const { deviceList } = await import('./commands/device.ts')
      context.ended(await deviceList(contextOf(json, context)))
    })
  device
    .command('remove')
    .description('take one away from the account, everywhere at once')
    .argument('<NAME>', 'its name, or the first digits of its key')
    .addOption(jsonOption())
    .action(async (name: string, { json }: Json) => {
      const { deviceRemove } = await import('./commands/device.ts')
      context.ended(await deviceRemove({ name }, contextOf(json, context)))
    })
}

function contextOf(
  json: true | undefined,
  context: ProgramContext,
): ReturnType<typeof commandContext> {
  return commandContext(json === undefined ? {} : { json }, context)
}
