using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Tests.LibGit2;

/// <summary>An index is known as long as its file in the pool is the one that was read.</summary>
public sealed class VerifiedIndexesTests : IDisposable
{
    private const string Commit = "0123456789012345678901234567890123456789", Other = "1234567890123456789012345678901234567890";

    private readonly string _pool = Directory.CreateTempSubdirectory().FullName;
    private readonly TrustedIndex _trusted;
    private readonly VerifiedIndexes _verified;
    private readonly FakeTimeProvider _time = new();

    public VerifiedIndexesTests()
    {
        Assert.SkipUnless(UnixFiles.IsSupported, "indexes are read in process on Linux");
        (_trusted, _verified) = (new TrustedIndex(_pool), new VerifiedIndexes(new TrustedIndex(_pool), _time));
    }

    public void Dispose() => Directory.Delete(_pool, recursive: true);

    [Fact]
    public void What_was_kept_is_found_for_its_slot_alone()
    {
        IndexFile index = Keep("slot-0", Commit, 1);

        _verified.Find("slot-0")!.Index.Should().BeSameAs(index);
        _verified.Find("slot-0")!.Commit.Should().Be(Commit);
        (_verified.Find("slot-1") is null).Should().BeTrue();
    }

    [Fact]
    public void Another_process_that_writes_the_same_anew_ends_it()
    {
        IndexFile index = Keep("slot-0", Commit, 1);
        _trusted.Keep("slot-0", Commit, index.Bytes, default);

        (_verified.Find("slot-0") is null).Should().BeTrue();
    }

    [Fact]
    public void Another_process_that_moves_the_slot_ends_it()
    {
        IndexFile index = Keep("slot-0", Commit, 1);
        _trusted.Keep("slot-0", Other, index.Bytes, default);

        (_verified.Find("slot-0") is null).Should().BeTrue();
    }

    [Fact]
    public void What_is_forgotten_is_not_known()
    {
        Keep("slot-0", Commit, 1);
        _trusted.Forget("slot-0");

        (_verified.Find("slot-0") is null).Should().BeTrue();
    }

    [Fact]
    public void A_young_file_is_proven_by_a_reading_that_is_later_than_any_clock_is_coarse()
    {
        Keep("slot-0", Commit, 3);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        VerifiedIndex early = _verified.Find("slot-0")!;
        _time.Advance(TimeSpan.FromSeconds(0.2));
        _verified.Prove("slot-0", early, [1]);
        _verified.Find("slot-0")!.Proven.Should().BeEmpty("it may have been read before");

        _verified.Prove("slot-0", _verified.Find("slot-0")!, [1]);
        _verified.Prove("slot-0", _verified.Find("slot-0")!, [2]);
        _verified.Find("slot-0")!.Proven.Should().BeEquivalentTo([1, 2]);

        VerifiedIndex former = _verified.Find("slot-0")!;
        Keep("slot-0", Commit, 3);
        _verified.Prove("slot-0", former, [0]);
        _verified.Find("slot-0")!.Proven.Should().BeEmpty("it is another index");
    }

    [Fact]
    public void The_last_ones_are_held_and_the_rest_is_the_garbage_collectors()
    {
        // Each a third of what is held, and more.
        foreach (string slot in new[] { "slot-0", "slot-1", "slot-2" })
        {
            Forget(slot);
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        (_verified.Find("slot-0") is null).Should().BeTrue();
        (_verified.Find("slot-1") is null).Should().BeFalse();
        (_verified.Find("slot-2") is null).Should().BeFalse();

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Forget(string slot) => Keep(slot, Commit, 80_000);
    }

    private IndexFile Keep(string slot, string commit, int entries)
    {
        IndexEntry[] files = [.. Enumerable.Range(0, entries).Select(number => new IndexEntry { Path = System.Text.Encoding.UTF8.GetBytes($"{number:00000000}"), Mode = IndexEntry.Regular, Id = new byte[20] })];
        IndexFile index = IndexFile.Make(files, IndexTree.Of(files));
        _verified.Keep(slot, new VerifiedIndex(commit, index, _trusted.Keep(slot, commit, index.Bytes, default)));
        return index;
    }
}
