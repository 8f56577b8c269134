// One mirror at work: looks at both sides, has a plan made, carries it out, and again.
//
// What it does to files and asks of servers is in `hand.ts`; here is when. Nothing runs at once with
// a plan but the watch: so what a plan saw is what its acts find, or they do nothing.

import { Code } from '@connectrpc/connect'
import type { Act, Held, Skipped, Views } from '../../core/mirror/messages.ts'
import { plan } from '../../core/mirror/plan.ts'
import { LateDeletions } from '../../core/mirror/deletions.ts'
import { Missing, signsIn, signsOf } from '../../core/mirror/missing.ts'
import { earlierLifeMs } from '../../core/mirror/base-choice.ts'
import { restAfter } from '../../core/model/rest.ts'
import { DirectoryGoneError, type MirrorDirectory } from '../../adapters/mirror/directory.ts'
import type { Found } from '../../adapters/mirror/look.ts'
import type { Ignoring } from '../../adapters/mirror/ignored.ts'
import type { MirrorStore } from '../../adapters/mirror/store.ts'
import { CommandError } from '../command.ts'
import { AnswerError, isTooMuch, NoServerError, type SetClient } from '../set-client.ts'
import { Agreement, agreementLookMs } from './agreement.ts'
import { FolderView } from './folder-view.ts'
import { Hand } from './hand.ts'
import { Meeting } from './meeting.ts'
import { questionOf } from './question.ts'
import { diskIsFull, isDiskFull, nothingIsBrought } from './refusals.ts'
import type { Report, Standing } from './report.ts'

/** After a sign of a change further looks follow: of several changes at once not all are told. */
const echoesMs = [300, 1300, 3000]
/** Without any sign the directory is looked through so often; a look takes a hundredth of the time. */
const netMs = 30_000
const netPace = { times: 100, leastMs: 3000, mostMs: netMs }
/** How long after one try the next is made when no server answers. */
const retryMs = 1000
/** While many files' bytes come or go, they are planned for so often, for a tenth of the time, or as without any sign. */
const transfersPace = { times: 10, leastMs: 250, mostMs: netMs }
/** What runs once gives up when servers that were there are away for so long. */
const onceGiveUpMs = 30_000
/** Under this the store keeps the ids of what a person was asked about. */
const askedKey = 'asked'
/** How often it is written down what has been told. */
const rememberMs = 5000

export interface MirrorOptions {
  directory: MirrorDirectory
  store: MirrorStore
  set: SetClient
  ignored: Ignoring
  report: Report
  /** The id of the mirrored directory of the folder; empty: the top. */
  root: string
  host: string
  acceptsDeletes: boolean
  /** What others deleted goes here, too, without asking, as long as the folder can give it back. */
  followsTrash: boolean
}

export class Mirror {
  readonly #options: MirrorOptions
  readonly #folder: FolderView
  readonly #hand: Hand
  readonly #meeting: Meeting
  readonly #agreement: Agreement
  #disk = new Map<string, Found>()
  #wake = Promise.withResolvers<void>()
  #isWoken = false
  /** When the directory is to be looked through again. */
  #lookAt = 0
  /** Something on the disk was changing when it was looked at. */
  #isUnsettled = true
  #toldAt = -Infinity
  readonly #missing = new Missing()
  #rememberedAt = -Infinity
  #offline: string | undefined
  /** When a server was there last. */
  #reachedAt = -Infinity
  #isStopped = false
  /** The directory has been mirrored before, or it was told what the first joining brings. */
  #isIntroduced: boolean
  #held: Held | undefined
  /** How many were deleted right before a person was asked. */
  #deletedBefore = 0
  #asked: ReadonlySet<string>
  #agreed: ReadonlySet<string> = new Set()
  readonly #late = new LateDeletions()
  #skipped: Skipped[] = []

  constructor(options: MirrorOptions) {
    this.#options = options
    const { store, set, root, report } = options
    const commons = store.commons()
    this.#isIntroduced = commons.length > 0
    const seen = store.meta('seen')
    const versions = seen === undefined ? [] : commons.filter(({ kind }) => kind === 'text')
    this.#folder = new FolderView(set, root, {
      seen,
      versions: new Map(versions.map(({ id, version }) => [id, version])),
      changed: () => this.#noticeBeside(),
    })
    this.#hand = new Hand({
      ...options,
      folder: this.#folder,
      commons,
      changed: () => this.#noticeBeside(),
      read: () => this.#lookAgain(),
      failed: (error) => this.#fail(error),
    })
    const { root: place } = options.directory
    const [folder, hand] = [this.#folder, this.#hand]
    this.#meeting = new Meeting({ folder, hand, store, report, root: place })
    this.#agreement = new Agreement(place)
    this.#asked = new Set(JSON.parse(store.meta(askedKey) ?? '[]') as string[])
    this.#hand.recover()
    this.#stand('starting')
    if (commons.length > 0) report.say(`${commons.length} files and directories are known.`)
  }

  /** Something may have changed on the disk. */
  diskChanged(): void {
    this.#toldAt = performance.now()
    this.#lookAgain()
  }

  #lookAgain(): void {
    this.#lookAt = 0
    this.#notice()
  }

  /** Bytes came or went, or names were told: a plan for each of many would cost more than they do. */
  #noticeBeside(): void {
    if (!this.#hand.isBusy) {
      this.#notice()
      return
    }
    this.#transferring ??= setTimeout(
      () => {
        this.#transferring = undefined
        this.#notice()
      },
      restAfter(this.#plannedMs, transfersPace),
    )
  }

  #transferring: NodeJS.Timeout | undefined
  /** What looking at both sides and planning took. */
  #plannedMs = 0

  /** Ends after what is being done. */
  stop(): void {
    this.#isStopped = true
    this.#notice()
  }

  /**
   * Works until it is stopped; with `isOnce` until both sides agree or wait for a person. Resolves
   * with whether all is the same. Rejects with CommandError when it cannot go on.
   */
  async run({ isOnce }: { isOnce: boolean }): Promise<boolean> {
    const watching = this.#watch(isOnce)
    try {
      for (;;) {
        const how = await this.#turn(isOnce)
        if (this.#isStopped || (isOnce && how === 'rest')) break
        if (how !== 'again') await this.#sleep()
      }
      await this.#hand.stop()
      await this.#hand.settle({ isLast: true, maySend: this.#folder.isMet })
      this.#remember({ isForced: true })
      this.#stand('ended')
      return this.#isSame
    } catch (error) {
      const isGone = error instanceof DirectoryGoneError || isErrno(error, 'ENOENT')
      const said = isDiskFull(error) ? diskIsFull : isGone ? error.message : undefined
      const failed = said === undefined ? (error as Error) : new CommandError(said)
      this.#leaveWord(failed.message)
      throw failed
    } finally {
      this.#isStopped = true
      clearTimeout(this.#transferring)
      this.#options.set.close()
      this.#folder.end()
      this.#notice()
      await Promise.all([watching, this.#comparing, this.#hand.stop()])
    }
  }

  get #isSame(): boolean {
    return this.#held === undefined && this.#hand.refusals.all.size === 0
  }

  /** One look, one plan, its acts. */
  async #turn(isOnce: boolean): Promise<'again' | 'wait' | 'rest'> {
    const beganAt = performance.now()
    let isReached = false
    try {
      await this.#hand.settle({ isLast: false, maySend: this.#folder.isMet })
      await this.#folder.refresh(this.#hand.commons.keys())
      this.#look()
      // Not yet, or not any more: deciding without it would be guessing.
      if (!this.#folder.isListed || !(await this.#meeting.isOver())) return 'wait'
      this.#offline = undefined
      this.#options.report.over('servers')
      isReached = true
      this.#reachedAt = performance.now()
      await this.#hand.forgetLost()
      this.#hear()
      const { acts, held, skipped, ...deletions } = plan(this.#views())
      this.#plannedMs = performance.now() - beganAt
      // While it is not believed that anything is missing, what was asked before stays asked.
      if (held || this.#missing.isBelieved) this.#hold(held)
      this.#ask(deletions.asked)
      this.#agreed = deletions.agreed
      this.#late.add(performance.now(), deletions.deletes)
      this.#skipped = skipped
      this.#tell()
      if (acts.length > 0) {
        // Also when it breaks off: what it has put on the disk by then would seem to have been deleted.
        this.#lookAt = 0
        await this.#hand.perform(this.#isIntroduced ? acts : this.#introduced(acts), this.#disk)
        return 'again'
      }
    } catch (error) {
      if (!isOnce && isDiskFull(error)) {
        this.#noRoom()
        return 'wait'
      }
      // It was there for as long as the acts went on.
      if (isReached) this.#reachedAt = performance.now()
      const isGivenUp = isOnce && performance.now() - this.#reachedAt > onceGiveUpMs
      if (!(error instanceof NoServerError) || isGivenUp) throw error
      this.#goneOffline(error.message)
      return 'wait'
    }
    if (this.#hand.isBusy) return 'wait'
    const isSettled =
      this.#missing.isBelieved && !this.#isUnsettled && this.#lookAt > performance.now()
    if (!isSettled || this.#folder.nextAt !== undefined) return 'wait'
    if (!this.#folder.isCompared) {
      this.#compare()
      return 'wait'
    }
    try {
      this.#remember({ isForced: false })
    } catch (error) {
      if (isOnce || !isDiskFull(error)) throw error
      this.#noRoom()
      return 'wait'
    }
    this.#stand('same')
    if (this.#isSame) this.#options.report.same()
    return 'rest'
  }

  #comparing: Promise<void> | undefined

  /** Beside all else: a server may have to read every text for it. */
  #compare(): void {
    this.#comparing ??= this.#folder
      .compare()
      .catch((error: unknown) => {
        if (this.#isStopped) return
        if (error instanceof NoServerError) this.#goneOffline(error.message)
        else this.#fail(error as Error)
      })
      .finally(() => {
        this.#comparing = undefined
        this.#notice()
      })
  }

  #hear(): void {
    if (!this.#held || !this.#agreement.hear(this.#held)) return
    this.#agreed = new Set([...this.#agreed, ...this.#asked])
    this.#ask(new Set())
  }

  #hold(held: Held | undefined): void {
    // They went one after the other, and the first ones were few.
    if (held && !this.#held) this.#deletedBefore = this.#late.before(performance.now()).lately
    this.#held = held
  }

  /** What waits for a word does so in the next life, too. */
  #ask(asked: ReadonlySet<string>): void {
    const isSame = asked.size === this.#asked.size && [...asked].every((id) => this.#asked.has(id))
    if (!isSame) this.#options.store.setMeta(askedKey, JSON.stringify([...asked]))
    this.#asked = asked
  }

  /** The first time it is told what will be done: first is read what must be compared for that. */
  #introduced(acts: Act[]): Act[] {
    const reads = acts.filter(({ type }) => type === 'read')
    if (reads.length > 0) return reads
    this.#isIntroduced = true
    const count = (...types: Act['type'][]) =>
      acts.filter(({ type }) => types.includes(type)).length
    this.#options.report.say(
      `First joining, nothing is deleted: ${count('create', 'create-directory')} go to the folder, ` +
        `${count('write', 'make-directory')} come from it, ${count('adopt')} are the same, ` +
        `${count('put-aside')} of one name are different and put aside here.`,
    )
    return acts
  }

  #views(): Views {
    const [options, hand, folder] = [this.#options, this.#hand, this.#folder]
    return {
      disk: this.#disk,
      isQuiet: this.#missing.isBelieved,
      folder: folder.entries,
      gone: folder.gone,
      elsewhere: folder.elsewhere,
      restorable: folder.restorable,
      common: hand.commons,
      waiting: hand.waiting(),
      making: hand.making(),
      isIgnored: options.ignored.isIgnored,
      isMadeFrom: (known, { path }) => hand.isMadeFrom(known, this.#disk.get(path)!),
      host: options.host,
      acceptsDeletes: options.acceptsDeletes || this.#agreement.holds,
      isFollowed: (id) => options.followsTrash && !folder.erased.has(id),
      late: this.#late.before(performance.now()),
      asked: this.#asked,
      agreed: this.#agreed,
    }
  }

  // --------------------------------------------------------------------------------- looking

  #look(): void {
    const now = performance.now()
    if (now < this.#lookAt) return
    const { directory, ignored } = this.#options
    ignored.refresh()
    const { items, unread, againInMs, isTorn } = directory.look({
      remembered: this.#hand.reading.remembered,
      isText: this.#hand.isText,
      isIgnored: ignored.isIgnored,
    })
    // What was put there since the last look was not seen by it.
    const expected = signsOf([...this.#disk.values(), ...this.#hand.commons.values()])
    this.#missing.looked(now, { expected, items: signsIn(items), isTorn })
    this.#disk = items
    this.#hand.reading.looked(items)
    this.#hand.reading.start(unread)
    this.#isUnsettled = againInMs !== undefined
    const tookMs = performance.now() - now
    const afterMs = restAfter(tookMs, netPace)
    const echoAt = echoesMs.map((ms) => this.#toldAt + ms).find((at) => at > now)
    const { sureAt } = this.#missing
    this.#lookAt = Math.min(now + (againInMs ?? afterMs), echoAt ?? Infinity, sureAt)
  }

  // -------------------------------------------------------------------------------- listening

  async #watch(isOnce: boolean): Promise<void> {
    const isGivenUp = () => isOnce && performance.now() - this.#reachedAt > onceGiveUpMs
    while (!this.#isStopped) {
      try {
        await this.#folder.watch()
      } catch (error) {
        if (this.#isStopped) return
        // Who listened, and took in too slowly, is cut: what it missed is told when it listens again.
        const isCut = this.#folder.isListed && isTooMuch(error)
        if (!(isCut || error instanceof NoServerError) || isGivenUp()) {
          this.#fail(error instanceof Error ? error : new Error(String(error)))
          return
        }
        if (error instanceof NoServerError) {
          this.#folder.lost()
          this.#goneOffline(error.message)
        }
      }
      await this.#pause(retryMs)
    }
  }

  /** The loop is where errors come out. */
  #fail(error: Error): void {
    // The mirrored part of the folder is not known.
    const isForeign = error instanceof AnswerError && error.code === Code.NotFound
    this.#failure = isForeign && this.#hand.commons.size > 0 ? this.#meeting.foreign() : error
    this.#notice()
  }

  #failure: Error | undefined

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #goneOffline(why: string): void {
    this.#offline = why
    this.#options.report.warn('servers', `${why} Changes wait here until one does.`)
    this.#stand('offline', why)
  }

  /** Nothing can be noted on the disk, so nothing is done; it may have room again. */
  #noRoom(): void {
    this.#offline = nothingIsBrought
    this.#options.report.warn('disk', nothingIsBrought)
    this.#stand('full', nothingIsBrought)
  }

  // ---------------------------------------------------------------------------------- waiting

  #notice(): void {
    this.#isWoken = true
    this.#wake.resolve()
  }

  #nextAt(): number {
    const heardAt = this.#held ? performance.now() + agreementLookMs : Infinity
    const listAt = this.#folder.nextAt ?? Infinity
    return Math.min(this.#lookAt, listAt, this.#hand.nextAt, heardAt)
  }

  async #sleep(): Promise<void> {
    this.#throwFailure()
    const retryAt = this.#offline === undefined ? Infinity : performance.now() + retryMs
    const untilMs = Math.min(this.#nextAt(), retryAt) - performance.now()
    if (!this.#isWoken) await this.#pause(Math.max(5, untilMs))
    this.#isWoken = false
    this.#wake = Promise.withResolvers()
    this.#throwFailure()
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, Math.min(ms, netMs))
    await Promise.race([promise, this.#wake.promise])
    clearTimeout(timer)
  }

  // --------------------------------------------------------------------------------- telling

  #remember({ isForced }: { isForced: boolean }): void {
    const now = performance.now()
    if (!isForced && now - this.#rememberedAt < rememberMs) return
    this.#rememberedAt = now
    this.#hand.rememberStamps(this.#disk)
    const { store } = this.#options
    store.forgetEarlier(Date.now() - earlierLifeMs)
    // Only when it is true of every text that the folder has what is common.
    if (this.#folder.isCurrent && this.#hand.isAllCommon()) store.setMeta('seen', this.#folder.seen)
  }

  #tell(): void {
    const { report } = this.#options
    const { root } = this.#options.directory
    if (this.#held) report.warn('deletions', questionOf(this.#held, this.#deletedBefore, root))
    else report.over('deletions')
    this.#stand('working')
  }

  /** Why it ends, for whoever asks; unless the place for that is gone, too. */
  #leaveWord(why: string): void {
    try {
      this.#stand('ended', why)
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error
    }
  }

  #stand(state: Standing['state'], why?: string): void {
    const refused = [...this.#hand.refusals.all.values()].map(({ path, why }) => ({ path, why }))
    this.#options.report.stand({
      pid: process.pid,
      at: Date.now(),
      state,
      files: this.#hand.commons.size,
      skipped: [...this.#skipped, ...refused],
      held: this.#held,
      why,
    })
  }
}

function isErrno(error: unknown, code: string): error is Error {
  return (error as NodeJS.ErrnoException).code === code
}
