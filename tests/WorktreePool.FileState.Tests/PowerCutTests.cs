using CsCheck;

namespace WorktreePool.FileState.Tests;

/// <summary>
/// The power fails while several writers are at work. Of what was brought to the disk all is there, of all else any sectors: whatever comes of that, a change whose writer was told that it was made
/// is there, each record is one that somebody wrote, and no key is held twice.
/// </summary>
public sealed class PowerCutTests
{
    private const int Sector = 512, Slots = 3, Writers = 4, Changes = 40;

    private static readonly string[] Keys = ["A", "B", "C"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task What_was_confirmed_is_there_and_nothing_is_held_twice() =>
        Gen.Int.SampleAsync(async seed => await new Run(seed).PassAsync(Token), iter: 8, threads: 1);

    /// <summary>Some writers on one pool, and what a disk has of its files.</summary>
    private sealed class Run(int seed)
    {
        private readonly Lock _disk = new();
        private readonly Random _chance = new(seed);

        /// <summary>What each journal is known to have on the disk.</summary>
        private readonly Dictionary<string, byte[]> _durable = [];

        /// <summary>All that each file has said, of which the disk may have anything.</summary>
        private readonly Dictionary<string, List<byte[]>> _said = [];

        private readonly Dictionary<(string Slot, long Version), SlotRecord> _written = [];
        private readonly Dictionary<string, long> _confirmed = [];
        private readonly List<(PoolDirectory Left, Dictionary<string, long> Confirmed)> _cuts = [];

        public async Task PassAsync(CancellationToken cancellationToken)
        {
            using var pool = new PoolDirectory();
            await using (FileSlotStateStore store = pool.Open())
            {
                for (int slot = 0; slot < Slots; slot++)
                {
                    SlotRecord first = (await store.CompareAndSetAsync(0, Record($"slot-{slot}", null, 0), cancellationToken)).Stored!;
                    (_written[(first.Slot, 1)], _confirmed[first.Slot]) = (first, 1);
                    _durable[first.Slot] = await File.ReadAllBytesAsync(pool.JournalOf(first.Slot + ".json"), cancellationToken);
                    _said[first.Slot] = [await File.ReadAllBytesAsync(pool.File(first.Slot + ".json"), cancellationToken)];
                }
            }

            try
            {
                await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(pool, new Random(seed + writer + 1), cancellationToken), cancellationToken)));
                _cuts.Should().HaveCountGreaterThan(Changes);
                foreach ((PoolDirectory left, Dictionary<string, long> confirmed) in _cuts)
                {
                    await StartAsync(left, confirmed, cancellationToken);
                }
            }
            finally
            {
                _cuts.ForEach(cut => cut.Left.Dispose());
            }
        }

        /// <summary>One process: it claims, renames and frees whatever it finds.</summary>
        private async Task WriteAsync(PoolDirectory pool, Random chance, CancellationToken cancellationToken)
        {
            await using FileSlotStateStore store = pool.Open();
            for (int change = 0; change < Changes; change++)
            {
                SlotRecord found = (await store.ReadAsync(cancellationToken)).Slots[chance.Next(Slots)];
                string? key = found.Lease is null || chance.Next(3) == 0 ? Keys[chance.Next(Keys.Length)] : chance.Next(2) == 0 ? found.Lease.Key : null;
                SlotRecord next = Record(found.Slot, key, chance.Next(1, 2500));
                byte[]? own = null;
                CrashPoints.Listen(name => own = Pass(pool, name, next with { Version = found.Version + 1 }, own));
                StoreResult result = await store.CompareAndSetAsync(found.Version, next, cancellationToken);
                CrashPoints.Listen(null);
                if (result.Applied)
                {
                    lock (_disk)
                    {
                        _confirmed[found.Slot] = Math.Max(_confirmed[found.Slot], found.Version + 1);
                    }
                }
            }
        }

        /// <param name="pool">The pool.</param>
        /// <param name="name">What a writer has just done.</param>
        /// <param name="next">What it writes.</param>
        /// <param name="own">The journal as it has written it, if it has.</param>
        /// <returns>The same from now on.</returns>
        private byte[]? Pass(PoolDirectory pool, string name, SlotRecord next, byte[]? own)
        {
            lock (_disk)
            {
                switch (name)
                {
                    case "state journal written":
                        own = File.ReadAllBytes(pool.JournalOf(next.Slot + ".json"));
                        _written[(next.Slot, next.Version)] = next;
                        break;
                    case "state journal durable":
                        _durable[next.Slot] = own!;
                        break;
                    case "state journal secured" when own is null:
                        // Under the lock: nobody else writes it.
                        _durable[next.Slot] = File.ReadAllBytes(pool.JournalOf(next.Slot + ".json"));
                        break;
                    case "state journal secured" when _confirmed[next.Slot] < next.Version:
                        // Somebody may have gone on from it meanwhile, and brought more to the disk than this.
                        _durable[next.Slot] = NumberOf(_durable[next.Slot]) < NumberOf(own!) ? own! : _durable[next.Slot];
                        break;
                    case "state file written over" or "state file in place":
                        _said[next.Slot].Add(File.ReadAllBytes(pool.File(next.Slot + ".json")));
                        break;
                    default:
                        return own;
                }

                if (_chance.Next(3) == 0)
                {
                    Cut(pool);
                }

                return own;
            }
        }

        /// <summary>The power fails now: what the disk may have is kept.</summary>
        private void Cut(PoolDirectory pool)
        {
            var left = new PoolDirectory();
            Directory.CreateDirectory(left.State);
            Directory.CreateDirectory(left.Copies);
            File.WriteAllBytes(left.File("store.lock"), new byte[8]);
            foreach (string slot in _durable.Keys)
            {
                File.WriteAllBytes(left.JournalOf(slot + ".json"), Mixed(_durable[slot], File.ReadAllBytes(pool.JournalOf(slot + ".json"))));
                List<byte[]> said = _said[slot];
                File.WriteAllBytes(left.File(slot + ".json"), Mixed(said[_chance.Next(Math.Max(0, said.Count - 3), said.Count)], File.ReadAllBytes(pool.File(slot + ".json"))));
            }

            _cuts.Add((left, new Dictionary<string, long>(_confirmed)));
        }

        /// <summary>The machine starts again.</summary>
        private async Task StartAsync(PoolDirectory left, Dictionary<string, long> confirmed, CancellationToken cancellationToken)
        {
            await using FileSlotStateStore store = left.Open();
            IReadOnlyList<SlotRecord> slots = (await store.ReadAsync(cancellationToken)).Slots;
            slots.Should().HaveCount(Slots);
            foreach (SlotRecord slot in slots)
            {
                slot.Version.Should().BeGreaterThanOrEqualTo(confirmed[slot.Slot], $"{slot.Slot} was confirmed (seed {seed})");
                slot.Should().BeEquivalentTo(_written[(slot.Slot, slot.Version)], $"somebody has written that (seed {seed})");
            }

            slots.Where(slot => slot.Lease is not null).Select(slot => slot.Lease!.Key).Should().OnlyHaveUniqueItems($"no key is held twice (seed {seed})");
            (await store.CompareAndSetAsync(slots[0].Version, slots[0], cancellationToken)).Applied.Should().BeTrue();
            (await store.ReadAsync(cancellationToken)).Slots.Skip(1).Should().BeEquivalentTo(slots.Skip(1), "both of each are mended");
        }

        /// <summary>Each sector of one or of the other.</summary>
        private byte[] Mixed(byte[] one, byte[] other)
        {
            byte[] mixed = [.. one];
            for (int at = 0; at < mixed.Length && one.Length == other.Length; at += Sector)
            {
                if (_chance.Next(2) == 0)
                {
                    int length = Math.Min(Sector, mixed.Length - at);
                    other.AsSpan(at, length).CopyTo(mixed.AsSpan(at));
                }
            }

            return mixed;
        }

        /// <summary>The number of a journal's last version.</summary>
        private static long NumberOf(byte[] journal) => Math.Max(BitConverter.ToInt64(journal, 8), BitConverter.ToInt64(journal, (journal.Length / 2) + 8));
    }

    private static SlotRecord Record(string slot, string? key, int length) => new()
    {
        Slot = slot,
        Host = "h",
        Path = "/p",
        Lease = key is null ? null : new LeaseRecord
        {
            Key = key,
            TokenHash = "hash",
            Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)),
            Metadata = new Dictionary<string, string> { ["m"] = new((char)('a' + (length % 26)), length) },
        },
    };
}
