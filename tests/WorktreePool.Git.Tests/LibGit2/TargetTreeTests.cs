using System.Text;
using CsCheck;
using LibGit2Sharp;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing.Conformance;
using IndexEntry = WorktreePool.Git.LibGit2.IndexEntry;

namespace WorktreePool.Git.Tests.LibGit2;

/// <summary>A commit's tree is read with an index that is known of another one; the outcome is the same as without it.</summary>
public sealed class TargetTreeTests : IAsyncLifetime
{
    /// <summary>Names whose order as files is not the one they have as directories.</summary>
    private static readonly Gen<string> Name = Gen.OneOf("a", "a-b", "a.b", "ab", "b", "ä", "a b");

    private static readonly Gen<(string[] Path, int Blob, Mode Mode)[]> Files = Gen.Select(
        Name.Array[1, 3], Gen.Int[0, 2], Gen.OneOf(Mode.NonExecutableFile, Mode.ExecutableFile, Mode.SymbolicLink)).Array[0, 12];

    private TestRepository _repository = null!;
    private ObjectReader _objects = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _objects = ObjectReader.Open(_repository.Common);
    }

    public async ValueTask DisposeAsync()
    {
        _objects.Dispose();
        await _repository.DisposeAsync();
    }

    [Fact]
    public void What_is_known_of_another_commit_changes_nothing_but_what_is_known_about_files() => Gen.Select(Files, Files, Gen.Bool).Sample(
        (before, after, isNear) =>
        {
            IndexFile known = Stamped(TreeOf(before));
            Tree tree = TreeOf(isNear ? [.. before.Skip(2), .. after.Take(2)] : after);

            Target plain = TargetTree.Read(tree, null, Token), target = TargetTree.Read(tree, new VerifiedIndex("from", known, default), Token);

            Lines(target.Entries).Should().Equal(Lines(plain.Entries));
            target.Trees.ToCacheTree().Should().Equal(plain.Trees.ToCacheTree()).And.Equal(IndexTree.Of(plain.Entries).ToCacheTree());
            target.Trees.Id.ToArray().Should().Equal(tree.Id.RawId);
            target.Entries.Where(entry => entry.Stamp != default).Should().BeEquivalentTo(known.Entries.Where(entry => Lines(plain.Entries).Contains(Line(entry))), options => options.ComparingByValue<IndexEntry>());
            target.Gone.Select(path => UnixFiles.Text(path)).Should().Equal(known.Entries.Select(entry => UnixFiles.Text(entry.Path)).Except(plain.Entries.Select(entry => UnixFiles.Text(entry.Path))));
            TargetTree.IsIn(tree, known, Token).Should().Be(Lines(plain.Entries).SequenceEqual(Lines(known.Entries)));
            TargetTree.IsIn(tree, IndexFile.Make(target.Entries, IndexTree.Of(target.Entries)), Token).Should().BeTrue();
        },
        iter: 2000,
        threads: 1);

    [Fact]
    public void What_a_forged_index_holds_is_no_commit_and_no_error()
    {
        Tree tree = TreeOf([(["a", "b"], 0, Mode.NonExecutableFile), (["c"], 1, Mode.NonExecutableFile)]);
        IndexEntry[] entries = TargetTree.Read(tree, null, Token).Entries;
        foreach (string[] paths in new string[][] { ["a/"], ["a/", "c"], ["a//b", "c"], ["a/b", "a/b", "c"], ["a/b", "c", "c"], ["/", "a/b", "c"], ["a/b", "c/"], ["a", "a/b", "c"], [] })
        {
            IndexEntry[] forged = [.. paths.Select(path => entries[path.StartsWith('c') ? 1 : 0] with { Path = Encoding.UTF8.GetBytes(path) })];

            TargetTree.IsIn(tree, IndexFile.Make(forged, IndexTree.Of(forged)), Token).Should().BeFalse(string.Join(", ", paths));
        }

    }

    [Fact]
    public void A_cancellation_ends_the_reading() =>
        FluentActions.Invoking(() => TargetTree.Read(TreeOf([(["a"], 0, Mode.NonExecutableFile)]), null, new CancellationToken(canceled: true))).Should().Throw<OperationCanceledException>();

    private Tree TreeOf((string[] Path, int Blob, Mode Mode)[] files)
    {
        var tree = new TreeDefinition();
        foreach ((string[] path, int blob, Mode mode) in files)
        {
            tree.Add(string.Join('/', path), _objects.Repository.ObjectDatabase.CreateBlob(new MemoryStream([(byte)blob])), mode);
        }

        return _objects.Repository.ObjectDatabase.CreateTree(tree);
    }

    private static IndexFile Stamped(Tree tree)
    {
        Target target = TargetTree.Read(tree, null, Token);
        for (int at = 0; at < target.Entries.Length; at++)
        {
            target.Entries[at] = target.Entries[at] with { Stamp = new FileStamp((uint)at + 1, 0, 0, 0, 0, 0, 0, 0, 0) };
        }

        return IndexFile.Make(target.Entries, target.Trees);
    }

    private static string[] Lines(IndexEntry[] entries) => Array.ConvertAll(entries, Line);

    private static string Line(IndexEntry entry) => $"{entry.Mode:x} {Convert.ToHexStringLower(entry.Id.Span)} {UnixFiles.Text(entry.Path)}";
}
