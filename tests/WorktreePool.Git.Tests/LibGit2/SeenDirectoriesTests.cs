using System.Text;
using Microsoft.Extensions.Time.Testing;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Tests.LibGit2;

/// <summary>A directory's names are not read again where its status proves that they are the index's, and only there.</summary>
public sealed class SeenDirectoriesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory().FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly SeenDirectories _seen;
    private readonly IndexEntry[] _entries;

    public SeenDirectoriesTests()
    {
        Assert.SkipUnless(UnixFiles.IsSupported && SlotWatch.TellsAll(_root), "directories are remembered on Linux's own file systems");
        _seen = new SeenDirectories(_time);
        Directory.CreateDirectory(Path.Combine(_root, "a", "deep"));
        _entries = [.. new[] { "a/deep/x", "a/y", "b" }.Select(Make)];
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void They_are_known_when_they_were_read_once_more_long_after_they_were_seen()
    {
        Look().Should().BeEmpty();
        Known().Should().BeEmpty("they may change in the same tick of the clock");
        _time.Advance(TimeSpan.FromSeconds(2));
        Look().Should().BeEmpty();
        Known().Should().BeEmpty("a clock may be as coarse as that");
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Look().Should().BeEmpty();

        Known().Should().Equal("", "a", "a/deep");
        Look().Should().BeEmpty();
    }

    [Theory]
    [InlineData("a/new", "a/new")]
    [InlineData("a/deep/new", "a/deep/new")]
    [InlineData("new", "new")]
    public void What_comes_is_found(string path, string found)
    {
        Learn();
        File.WriteAllText(Path.Combine(_root, path), "");

        Look().Should().Equal(found);
    }

    [Fact]
    public void What_goes_changes_or_becomes_something_else_is_found()
    {
        Learn();
        File.AppendAllText(Path.Combine(_root, "a/deep/x"), "more");
        Look().Should().Equal("a/deep/x");

        File.Delete(Path.Combine(_root, "b"));
        Look().Should().Equal("a/deep/x", "b");

        Directory.Delete(Path.Combine(_root, "a/deep"), recursive: true);
        File.WriteAllText(Path.Combine(_root, "a/deep"), "");
        Look().Should().Equal("a/deep", "a/deep/x", "b");
    }

    [Fact]
    public void A_directory_whose_time_was_put_back_is_read()
    {
        Learn();
        string directory = Path.Combine(_root, "a");
        DateTime before = Directory.GetLastWriteTimeUtc(directory);
        File.WriteAllText(Path.Combine(directory, "new"), "");
        Directory.SetLastWriteTimeUtc(directory, before);

        Look().Should().Equal("a/new");
    }

    [Fact]
    public void One_that_changes_is_known_again_later_and_the_others_still()
    {
        Learn();
        File.WriteAllText(Path.Combine(_root, "a", "new"), "");
        Look().Should().Equal("a/new");
        File.Delete(Path.Combine(_root, "a", "new"));
        Look().Should().BeEmpty();
        Known().Should().Equal("", "a/deep");

        _time.Advance(TimeSpan.FromSeconds(3));
        Look().Should().BeEmpty();
        Known().Should().Equal("", "a", "a/deep");
    }

    [Fact]
    public void What_was_seen_under_another_index_does_not_count()
    {
        Learn();
        IndexEntry[] same = [.. _entries], fewer = [.. _entries[1..]];

        Known(same).Should().BeEmpty();
        Look(same).Should().BeEmpty();
        Known(same).Should().Equal(["", "a", "a/deep"], "their times are old, and they were read once more");
        Look(fewer).Should().Equal("a/deep");
    }

    [Fact]
    public void One_with_other_names_is_never_known()
    {
        File.WriteAllText(Path.Combine(_root, "a", "kept"), "");
        for (int look = 0; look < 3; look++)
        {
            TreeComparison.Run(_root, _entries, default, new KeepPatterns(["/a/kept"]), Token, seen: _seen).Untracked.Should().BeEmpty();
            _time.Advance(TimeSpan.FromSeconds(3));
        }

        Known().Should().Equal("", "a/deep");
        TreeComparison.Run(_root, _entries, default, new KeepPatterns([]), Token, seen: _seen).Untracked.Select(path => UnixFiles.Text(path)).Should().Equal("a/kept");
    }

    [Fact]
    public void A_look_that_began_before_a_directory_was_old_proves_nothing()
    {
        Look();
        FileStatus root = StatusOf("");
        SeenDirectories.Visit early = _seen.Begin(_root, root, _entries)!;
        _time.Advance(TimeSpan.FromSeconds(10));
        early.Saw([], root);

        Known().Should().BeEmpty();
    }

    private void Learn()
    {
        for (int look = 0; look < 3; look++)
        {
            Look().Should().BeEmpty();
            _time.Advance(TimeSpan.FromSeconds(3));
        }

        Known().Should().Equal("", "a", "a/deep");
    }

    /// <summary>What is untracked, differs, or is missing.</summary>
    private List<string> Look(IndexEntry[]? entries = null)
    {
        TreeDifference found = TreeComparison.Run(_root, entries ?? _entries, default, new KeepPatterns([]), Token, seen: _seen);
        return [.. found.Untracked.Concat(found.Differing.Select(at => found.Entries[at].Path)).Select(path => UnixFiles.Text(path)).Order(StringComparer.Ordinal)];
    }

    private List<string> Known(IndexEntry[]? entries = null) =>
        [.. new[] { "", "a", "a/deep" }.Where(path => Directory.Exists(Path.Combine(_root, path)) && _seen.Begin(_root, StatusOf(""), entries ?? _entries)!.IsKnown(Encoding.UTF8.GetBytes(path), StatusOf(path)))];

    private FileStatus StatusOf(string path) => UnixFiles.Status(Encoding.UTF8.GetBytes(Path.TrimEndingDirectorySeparator(Path.Combine(_root, path))))!.Value;

    /// <summary>Makes a file, and its entry.</summary>
    private IndexEntry Make(string path)
    {
        File.WriteAllText(Path.Combine(_root, path), path);
        return new IndexEntry
        {
            Path = Encoding.UTF8.GetBytes(path),
            Mode = IndexEntry.Regular,
            Id = IndexFile.ObjectId("blob", Encoding.UTF8.GetBytes(path)),
        };
    }
}
