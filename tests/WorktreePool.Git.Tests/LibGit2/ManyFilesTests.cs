using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.LibGit2;

/// <summary>So many files that several threads make them.</summary>
public sealed class ManyFilesTests : IAsyncLifetime
{
    private TestRepository _repository = null!;
    private LibGit2Backend _git = null!;
    private SlotPlace _place = null!;
    private string _from = "", _to = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        await _repository.ShellAsync(_repository.Main, "for d in a a/b a/b/c d; do mkdir -p $d; for i in $(seq 40); do echo $d $i from > $d/$i; done; done; ln -s 1 a/link; chmod +x a/2; head -c 300000 /dev/zero > d/large; git add . && git commit -qm from");
        _from = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        await _repository.ShellAsync(_repository.Main, "rm -r a/b && for i in $(seq 2 40); do echo a $i to > a/$i; done; ln -sf 2 a/link; echo b > a/b; git rm -qr d && mkdir -p d/1 && for i in $(seq 40); do echo d $i to > d/1/$i; ln -s $i d/1/link-$i; done; head -c 300000 /dev/zero | tr '\\0' x > d/large; git add . && git commit -qm to");
        _to = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        var options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };
        _git = new LibGit2Backend(new CliGitBackend(options, TimeProvider.System), options);
        await _git.TrustAsync(Token);
        SlotPlace place = _repository.Place("slot-0");
        _place = place with { Admin = await _git.RepairAsync(place, _from, RepairLevel.Rebuild, Token) };
    }

    public async ValueTask DisposeAsync()
    {
        _git.Dispose();
        await _repository.DisposeAsync();
    }

    [Fact]
    public async Task All_are_as_git_would_make_them()
    {
        foreach (string commit in new[] { _to, _from, _to })
        {
            await _git.RepairAsync(_place, commit, RepairLevel.Reset, Token);

            (await _git.ProbeAsync(_place, new SlotTarget(commit), Token)).Findings.Should().BeEmpty();
            (await _repository.GitAsync(_place.Path, "status", "--porcelain", "--ignored")).Should().BeEmpty();
            await _repository.ShellAsync(_place.Path, "git ls-files -z | xargs -0 touch -h && git status --porcelain > ../status && test ! -s ../status");
        }
    }

    [Fact]
    public async Task One_that_cannot_be_made_is_told_as_it_is_and_the_slot_is_not_ready()
    {
        string blob = await _repository.GitAsync(_repository.Main, "rev-parse", $"{_to}:d/1/20");
        string file = Path.Combine(_repository.Common, "objects", blob[..2], blob[2..]);
        byte[] content = await File.ReadAllBytesAsync(file, Token);
        File.Delete(file);

        FluentActions.Invoking(() => Repair(Token)).Should().Throw<GitBackendException>().WithMessage($"*{blob}*missing*");
        (await _git.ProbeAsync(_place, new SlotTarget(_to), Token)).IsReady.Should().BeFalse();

        await File.WriteAllBytesAsync(file, content, Token);
        Repair(Token);
        (await _git.ProbeAsync(_place, new SlotTarget(_to), Token)).Findings.Should().BeEmpty();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(int.MaxValue)]
    public async Task Those_whose_contents_were_read_before_are_the_same(int most)
    {
        IReadOnlyDictionary<int, byte[]> read = new Dictionary<int, byte[]>();
        int asked = 0, small = 0;

        Repair(Token, (objects, target) =>
        {
            small = target.Entries.Count(entry => entry.Stamp == default && entry.Mode != IndexEntry.Link && !entry.Path.AsSpan().SequenceEqual("d/large"u8));
            read = ReadAhead.Read(objects, target.Entries, () => asked++ >= most);
            return target with { Contents = read };
        });

        read.Should().HaveCount(Math.Min(most, small), "no link, and not the large one");
        (await _git.ProbeAsync(_place, new SlotTarget(_to), Token)).Findings.Should().BeEmpty();
        await _repository.ShellAsync(_place.Path, "git ls-files -z | xargs -0 touch -h && git status --porcelain > ../status && test ! -s ../status");
    }

    [Fact]
    public async Task What_cannot_be_read_before_is_left_to_who_makes_the_files()
    {
        string blob = await _repository.GitAsync(_repository.Main, "rev-parse", $"{_to}:d/1/20");
        File.Delete(Path.Combine(_repository.Common, "objects", blob[..2], blob[2..]));
        using ObjectReader objects = ObjectReader.Open(_repository.Common);
        IndexEntry[] entries = Target.Read(new VerifiedIndexes(new TrustedIndex(_repository.Pool), TimeProvider.System), "slot-9", _to, objects.TreeOf(_to)!, Token).Entries;

        IReadOnlyDictionary<int, byte[]> read = ReadAhead.Read(objects, entries, () => false);

        read.Keys.Select(at => UnixFiles.Text(entries[at].Path)).Should().Contain("d/1/21").And.NotContain("d/1/20");
    }

    /// <summary>What the backend does, without its look at the objects before.</summary>
    private void Repair(CancellationToken cancellation, Func<ObjectReader, Target, Target>? prepare = null)
    {
        var options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };
        using ObjectReader objects = ObjectReader.Open(_repository.Common);
        var trusted = new TrustedIndex(options.PoolDirectory);
        var repair = new InProcessRepair(RepositoryLayout.Of(options), objects, trusted, new VerifiedIndexes(trusted, TimeProvider.System), KeepPatterns.Of(options));
        Target target = repair.Plan(_place, _to, Token);
        repair.Run(_place, _to, prepare?.Invoke(objects, target) ?? target, RepairLevel.Reset, readyAt: null, cancellation, out _);
    }
}
