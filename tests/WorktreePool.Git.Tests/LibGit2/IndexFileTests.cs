using WorktreePool.Git.LibGit2;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.LibGit2;

public sealed class IndexFileTests : IAsyncLifetime
{
    private TestRepository _repository = null!;

    private string IndexPath => Path.Combine(_repository.Main, ".git", "index");

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("git update-index --index-version 2")]
    [InlineData("git update-index --skip-worktree README.md && git update-index --index-version 3")]
    [InlineData("git update-index --index-version 4")]
    [InlineData("git config index.threads 4 && git update-index --index-version 4 --force-write-index")]
    [InlineData("printf x > \"$(printf 'caf\\351')\" && mkdir -p a-b a 'a b' && echo > a-b/x && echo > a/y && echo > a.txt && echo > 'a b/z' && git add -A")]
    public async Task Tree_is_the_one_git_writes(string script)
    {
        await _repository.ShellAsync(_repository.Main, script);

        IndexFile index = IndexFile.Parse(await File.ReadAllBytesAsync(IndexPath, TestContext.Current.CancellationToken));

        Convert.ToHexStringLower(index.Trees.Id.Span).Should().Be(await _repository.GitAsync(_repository.Main, "write-tree"));
        index.IsPartial.Should().BeFalse();
    }

    [Fact]
    public async Task Git_takes_the_trees_of_an_index_that_was_written_here_for_its_own()
    {
        await _repository.ShellAsync(_repository.Main, "mkdir -p a/b/c a-b long-name && echo > a/b/c/x && echo > a/b/y && echo > a-b/x && echo > long-name/z && echo > a.txt && git add -A");
        IndexFile index = IndexFile.Parse(await File.ReadAllBytesAsync(IndexPath, TestContext.Current.CancellationToken));
        string tree = await _repository.GitAsync(_repository.Main, "write-tree");
        byte[] written = IndexFile.Make(index.Entries, IndexTree.Of(index.Entries)).Bytes.ToArray();
        await File.WriteAllBytesAsync(IndexPath, written, TestContext.Current.CancellationToken);

        // Git computes trees that it does not know, and then writes the index anew.
        (await _repository.GitAsync(_repository.Main, "write-tree")).Should().Be(tree);
        (await File.ReadAllBytesAsync(IndexPath, TestContext.Current.CancellationToken)).Should().Equal(written);
        (await _repository.GitAsync(_repository.Main, "fsck", "--no-dangling")).Should().NotContain("invalid");
    }

    [Theory]
    [InlineData("git update-index --assume-unchanged README.md")]
    [InlineData("git update-index --skip-worktree README.md")]
    public async Task Hidden_flags_are_seen(string script)
    {
        await _repository.ShellAsync(_repository.Main, script);

        IndexFile index = IndexFile.Parse(await File.ReadAllBytesAsync(IndexPath, TestContext.Current.CancellationToken));

        index.Entries.Where(entry => entry.IsHidden).Should().ContainSingle().Which.Path.Should().Equal("README.md"u8.ToArray());
    }

    [Theory]
    [InlineData("git update-index --split-index")]
    [InlineData("git sparse-checkout set --cone --sparse-index src")]
    public async Task Entries_elsewhere_are_noticed(string script)
    {
        await _repository.ShellAsync(_repository.Main, script);

        IndexFile.Parse(await File.ReadAllBytesAsync(IndexPath, TestContext.Current.CancellationToken)).IsPartial.Should().BeTrue();
    }

    [Fact]
    public async Task A_flipped_or_missing_byte_is_an_error()
    {
        byte[] bytes = await File.ReadAllBytesAsync(IndexPath, TestContext.Current.CancellationToken);
        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] flipped = [.. bytes];
            flipped[at] ^= 1;
            FluentActions.Invoking(() => IndexFile.Parse(flipped)).Should().Throw<InvalidDataException>();
            FluentActions.Invoking(() => IndexFile.Parse(bytes[..at])).Should().Throw<InvalidDataException>();
        }
    }

    [Fact]
    public async Task What_is_written_is_what_git_wrote()
    {
        await _repository.ShellAsync(_repository.Main, "rm .git/index && git reset -q --hard && git update-index --index-version 2");
        IndexFile index = IndexFile.Parse(await File.ReadAllBytesAsync(IndexPath, TestContext.Current.CancellationToken));

        await File.WriteAllBytesAsync(IndexPath, IndexFile.Make(index.Entries, IndexTree.Of(index.Entries)).Bytes.ToArray(), TestContext.Current.CancellationToken);

        IndexFile.Parse(await File.ReadAllBytesAsync(IndexPath, TestContext.Current.CancellationToken)).Entries.Select(entry => entry.Stamp).Should().Equal(index.Entries.Select(entry => entry.Stamp));
        (await _repository.GitAsync(_repository.Main, "diff-files")).Should().BeEmpty();
        (await _repository.GitAsync(_repository.Main, "status", "--porcelain")).Should().BeEmpty();
    }
}
