/**
 * Hayloft as a library: everything that `import … from 'hayloft'` offers, and all that stays as it is from version to
 * version. `docs/library.md` shows how to use it, `docs/errors.md` explains each error.
 *
 * Inside the repository modules import each other where things are declared. This file alone gathers what lies in
 * several, for a package needs one place that says which of its modules' names are promised to others.
 */

// To begin with
export { openHayloft } from './hayloft.ts'
export type { Account, Hayloft, HayloftEvent, HayloftOptions } from './hayloft.ts'
export { chunksOf } from './content.ts'

// Capabilities
export { toRead, toVerify } from '../capabilities/capability.ts'
export { formatCapability, parseCapability } from '../capabilities/text.ts'
export { describe as describeCapability } from '../capabilities/describe.ts'
export type { Description } from '../capabilities/describe.ts'
export type {
  Capability,
  FileReadCapability,
  FileVerifyCapability,
  FolderReadCapability,
  FolderVerifyCapability,
  FolderWriteCapability,
  LiteralCapability,
  MoreThanVerify,
  MutableReadCapability,
  MutableVerifyCapability,
  MutableWriteCapability,
  SnapshotReadCapability,
  SnapshotVerifyCapability,
  VerifyCapability,
} from '../capabilities/capability.ts'
export type { SlotReadKey, SlotVerifyKey, SlotWriteKey } from '../capabilities/slot-keys.ts'

// Files
export type { Files } from './files.ts'
export { erasureCode } from '../erasure/code.ts'
export type { ErasureCode } from '../erasure/code.ts'
export type { OperationOptions, TransferProgress } from '../grid/context.ts'
export type { ByteRange, Download, GetOptions } from '../grid/download.ts'
export type { LocalVersion } from '../grid/files/local-version.ts'
export type { HashedSource } from '../grid/files/hashed-source.ts'
export type { PutOptions } from '../grid/upload.ts'
export type { BlockPlacement, PutResult } from '../grid/upload-tally.ts'

// Files that change
export type {
  AcceptOptions,
  CreatedFile,
  MutableFiles,
  MutableFileState,
  MutableWriteOptions,
  WrittenFile,
} from '../grid/mutable/files.ts'
export type { AcceptedVersion } from '../grid/mutable/set-back.ts'
export type { FileContent, FileVersion } from '../grid/mutable/version.ts'

// Folders
export type { CreatedFolder, FolderEvent, Folders } from '../folders/service/folders.ts'
export type { DrillOptions, FolderDrill } from '../folders/service/drill.ts'
export type {
  Commit,
  AcceptedState,
  CommitResult,
  EditMaker,
  EditOptions,
  Expectation,
  FolderReader,
  FolderWriter,
  LinkTarget,
  LocatedPath,
  PathVersion,
  PutFileOptions,
  ReadOptions,
} from '../folders/service/folder.ts'
export type { RenewOptions } from '../folders/service/renew.ts'
export type { FolderNow, FolderView, Power, WalkOptions } from '../folders/service/view.ts'
export { versionOf } from '../folders/service/shown-version.ts'
export { checkName, formatPath, parsePath } from '../folders/names.ts'
export type { Name, Path } from '../folders/names.ts'
export type { Shown } from '../folders/read.ts'
export type {
  Directory,
  DirectoryEntry,
  Entry,
  FileEntry,
  LinkedEntry,
  LiteralEntry,
  SymlinkEntry,
  Totals,
  Version,
} from '../folders/entry.ts'
export type { DotRange, Dots, DotSpan } from '../folders/dots.ts'
export type {
  Edit,
  MakeDirectoryEdit,
  MoveEdit,
  NewContent,
  NewDirectory,
  NewVersion,
  PutEdit,
  RemoveEdit,
  SetEdit,
} from '../folders/commit/edits.ts'

// Nodes: checking, repairing, keeping
export type { GridNodes } from './files.ts'
export type { CheckableCapability } from '../grid/blocks/walk.ts'
export type { BlockReport, CheckOptions, CheckReport } from '../grid/check.ts'
export type { RepairOptions, RepairReport } from '../grid/repair.ts'
export type { Verification } from '../grid/maintenance/block-inspector.ts'
export type { HistoryOptions } from '../grid/maintenance/frontier.ts'
export type { Tally, TreeReport } from '../grid/maintenance/report.ts'
export type {
  RenewReport,
  TreeCapability,
  TreeCheckOptions,
  TreeOptions,
  TreeProgress,
  TreeRepairOptions,
  TreeRepairReport,
} from '../grid/maintenance/tree.ts'
export type { Holding } from '../grid/nodes/survey.ts'
export type { StorageNodeInfo } from '../grid/view.ts'

// Slots
export type { ChangingCapability, SlotCapability, SlotNow, Slots } from './slots.ts'
export type { SetBack, SetBackState } from '../grid/slots/set-back.ts'
export type { Rollback } from '../grid/slots/client.ts'
export type { Freshness } from '../grid/slots/poll.ts'
export type { ReadOptions as SlotReadOptions, SlotHealth } from '../grid/slots/results.ts'

// What names things
export type { Branded } from '../foundation/bytes.ts'
export type { BlockReference } from '../grid/files/index-node.ts'
export type { BlockId, BlockIdHex } from '../protocol/block-id.ts'
export type { NodeKey } from '../protocol/node-key.ts'
export type { SlotKey } from '../protocol/slot-key.ts'
export type { Dot, TagHex, VersionVector } from '../protocol/version-vector.ts'

// Errors
export { HayloftError } from '../foundation/error.ts'
export { SystemFailureError } from '../foundation/system-failure.ts'
export type { SystemFailure, SystemFailureCode } from '../foundation/system-failure.ts'
export { MalformedCapabilityError } from '../capabilities/malformed.ts'
export type { MalformedReason } from '../capabilities/malformed.ts'
export { InvalidErasureCodeError } from '../erasure/code.ts'
export {
  BrokenFileError,
  InvalidRangeError,
  NotEnoughSharesError,
  SourceChangedError,
  TooFewNodesError,
} from '../grid/errors.ts'
export { NoMutableFileError } from '../grid/mutable/files.ts'
export { FileSetBackError } from '../grid/mutable/set-back.ts'
export { FileChangedError } from '../grid/mutable/version.ts'
export { NothingSetBackError } from '../grid/slots/set-back.ts'
export {
  SlotClockFullError,
  SlotContendedError,
  SlotNotStoredError,
  SlotUnavailableError,
} from '../grid/slots/errors.ts'
export {
  BrokenFolderError,
  EntryTooLargeError,
  IntoItselfError,
  InvalidNameError,
  IsADirectoryError,
  NotADirectoryError,
  PathNotFoundError,
  PathTooDeepError,
  TooManyVersionsError,
} from '../folders/errors.ts'
export {
  FolderChangedError,
  FolderMissingError,
  FolderSetBackError,
  LinkCycleError,
  NoStateThenError,
  NotAFileError,
  NotMergedError,
  PowerMissingError,
} from '../folders/service/errors.ts'
export { HomeError, NotAMemberError } from '../home/errors.ts'
export type { HomeErrorCode } from '../home/errors.ts'
