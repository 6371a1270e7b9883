using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState;

/// <summary>
/// The state as this process has read or written it last, and how it is brought up to date without reading everything: by the files that were touched since, as
/// far as touches are told. That works even while a writer is at work: a change that is not over may be seen or not.
/// </summary>
internal sealed class KnownState(StateDocuments documents)
{
    /// <summary>One reader at a time takes in what was touched.</summary>
    private readonly Lock _refreshing = new();

    private readonly Lock _keeping = new();

    private volatile Seen? _seen;

    private long _keeps;

    /// <summary>Everything must be read.</summary>
    /// <returns>How often something was kept until now, for <see cref="KeepRead"/>.</returns>
    public long Forget()
    {
        lock (_keeping)
        {
            _seen = null;
            return _keeps;
        }
    }

    /// <summary>
    /// Everything must be read, and by whom has not begun yet: somebody is told of a change that is not over. What others have read before it and not yet kept would be told after it.
    /// </summary>
    public void Outdate()
    {
        lock (_keeping)
        {
            Keep(null);
        }
    }

    /// <summary>Under the store lock: what was written.</summary>
    /// <param name="number">What the change counter stands at since.</param>
    /// <param name="state">The state.</param>
    /// <param name="isWhole">Whether no record is lost.</param>
    public void KeepWritten(long number, PoolState state, bool isWhole)
    {
        lock (_keeping)
        {
            Keep(new Seen(number, state, isWhole));
        }
    }

    /// <summary>
    /// What was read while the change counter stood at a number, unless something was kept since. With that, touches of files may have been taken in, and of its own writing this process is
    /// not even told: an earlier state in its place would never be brought up to date.
    /// </summary>
    /// <param name="number">The number.</param>
    /// <param name="state">The state, of which no record is lost.</param>
    /// <param name="keeps">From <see cref="Forget"/>, before it was read.</param>
    public void KeepRead(long number, PoolState state, long keeps)
    {
        lock (_keeping)
        {
            if (_keeps == keeps)
            {
                Keep(new Seen(number, state, IsWhole: true));
            }
        }
    }

    /// <summary>Under the store lock, and as long as the slot's file says what is known of it.</summary>
    /// <param name="number">The change counter.</param>
    /// <param name="slot">The slot; null: the pool's own record.</param>
    /// <returns>The state, and whether no record is lost; null when everything must be read.</returns>
    public (PoolState State, bool IsWhole)? Recall(long number, string? slot)
    {
        Seen? seen = _seen is { } known && known.Number == number && documents.IsUntouched(known.State, slot) ? known : Renew(number, counter: null);
        return seen is null ? null : (seen.State, seen.IsWhole);
    }

    /// <summary>The state that is known, with what was touched since.</summary>
    /// <param name="counted">What the change counter's file says.</param>
    /// <param name="counter">The file.</param>
    /// <returns>Null when everything must be read, or the counter again because it has changed.</returns>
    public PoolState? TryRefresh(long counted, SafeFileHandle counter) => Renew(counted, counter)?.State;

    /// <param name="counted">What the change counter's file says.</param>
    /// <param name="counter">The file; null: nobody changes it, for the caller holds the store lock.</param>
    private Seen? Renew(long counted, SafeFileHandle? counter)
    {
        (long number, bool isSettled) = (ChangeCounter.Before(counted), ChangeCounter.IsSettled(counted));
        lock (_refreshing)
        {
            if (_seen is not { } seen || number < seen.Number)
            {
                return null;
            }

            if (number == seen.Number && documents.AreUntouched(seen.State))
            {
                return isSettled || IsOfOneMoment(counted, counter, out _) ? seen : null;
            }

            if (!seen.IsWhole || documents.TakeTouched() is not { } touched)
            {
                return null;
            }

            if (touched.IsNothing && number != seen.Number)
            {
                // Something has changed, and no file: another directory has come into its place.
                documents.Unwatch();
                return null;
            }

            (bool isKept, bool isExact) = (false, false);
            try
            {
                Seen? next = TakeIn(seen, touched, number, isSettled);

                // Files are read alone only as long as nobody writes them.
                isKept = next is not null && IsOfOneMoment(counted, counter, out isExact) && (isExact || !isSettled) && TryReplace(seen, next);
                return isKept ? next : null;
            }
            catch
            {
                // What is done next must fail, too.
                Forget();
                throw;
            }
            finally
            {
                if (!isKept || !isExact)
                {
                    // It could not be read; or what changed meanwhile may have been seen or not.
                    documents.PutBack(touched);
                }
            }
        }
    }

    private bool TryReplace(Seen seen, Seen next)
    {
        lock (_keeping)
        {
            if (_seen != seen)
            {
                return false;
            }

            Keep(next);
            return true;
        }
    }

    /// <summary>Under the lock.</summary>
    private void Keep(Seen? seen)
    {
        _keeps++;
        _seen = seen;
    }

    /// <summary>
    /// Whether what was read since is of one moment: no change was over meanwhile that may be seen in part, for the counter has gone on by one change at most. A
    /// writer that died at work is no such change: which of its files are the later ones, only their journals tell.
    /// </summary>
    /// <param name="counted">What the change counter's file said before.</param>
    /// <param name="counter">The file; null: nobody changes it.</param>
    /// <param name="isExact">Whether no change was under way at all.</param>
    private static bool IsOfOneMoment(long counted, SafeFileHandle? counter, out bool isExact)
    {
        long now = counter is null ? counted : ChangeCounter.Look(counter);
        isExact = now == counted && ChangeCounter.IsSettled(counted);
        return isExact || (now == counted ? Flock.IsHeld(counter!) : now > counted && now <= ChangeCounter.After(counted));
    }

    private Seen? TakeIn(Seen seen, Touched touched, long number, bool isSettled)
    {
        SlotRecord[] slots = [.. seen.State.Slots];
        bool isNew = false;
        foreach (string slot in touched.Slots)
        {
            if (Read(documents.Of(slot), isSettled) is not { Record: { } record, Damage: null })
            {
                return null;
            }

            int at = Array.FindIndex(slots, known => known.Slot == slot);
            isNew |= at < 0;
            slots = at < 0 ? [.. slots, record] : slots;
            slots[at < 0 ? ^1 : at] = record;
        }

        PoolRecord pool = seen.State.Pool;
        if (touched.Pool && Read(documents.Pool, isSettled) is var reading && (reading.Record is not null || reading.Damage is not null || pool.Version > 0))
        {
            if (reading is not { Record: { } own, Damage: null })
            {
                return null;
            }

            pool = own;
        }

        return new Seen(number, new PoolState(pool, isNew ? SlotOrder.Of(slots) : slots, Readings.StampOf(number)), IsWhole: true);
    }

    private static Reading<T> Read<T>(TwinDocument<T> document, bool isSettled)
        where T : class => isSettled ? document.Read(isSettled) : document.ReadAtWork();

    /// <param name="Number">What the change counter stood at.</param>
    /// <param name="State">The state; if a change was under way, before it or after it.</param>
    /// <param name="IsWhole">Whether no record is lost.</param>
    private sealed record Seen(long Number, PoolState State, bool IsWhole);
}
