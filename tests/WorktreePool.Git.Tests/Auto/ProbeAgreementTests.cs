using Microsoft.Extensions.Time.Testing;
using WorktreePool.Git.Cli;
using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Auto;

/// <summary>
/// In every kind of repository and every state of a slot, the probe in process says what git's says, or leaves it to git. That is what allows the
/// automatic backend to ask it first.
/// </summary>
public sealed class ProbeAgreementTests : IAsyncLifetime
{
    /// <summary>In the slot; <c>$1</c> is its admin directory.</summary>
    private static readonly (string Name, string Script)[] Damages =
    [
        ("nothing", ":"),
        ("edit", "echo x >> README.md"),
        ("same size, time put back", "t=$(stat -c %y README.md); sed -i s/hello/HELLO/ README.md; touch -d \"$t\" README.md"),
        ("delete", "rm README.md"),
        ("executable", "chmod +x README.md"),
        ("lends rights", "chmod 4755 README.md"),
        ("read only", "chmod 444 README.md"),
        ("directory lends rights", "chmod 1777 src"),
        ("closed directory", "chmod 555 src"),
        ("two names", "ln README.md ../second-name; sleep 0.01"),
        ("untracked", "echo x > new"),
        ("untracked in a directory", "echo x > src/new"),
        ("untracked in a directory, its time put back", "t=$(stat -c %y src); echo x > src/new; touch -d \"$t\" src"),
        ("another name", "mv README.md readme"),
        ("another name in a directory", "mv src/app.cs src/App.cs"),
        ("directory made anew, with one more", "cp -a src copy; rm -r src; mv copy src; echo x > src/new"),
        ("directory becomes file", "rm -r src; echo x > src"),
        ("repository in a directory", "git init -q src"),
        ("ignored", "echo x > x.log"),
        ("empty directory", "mkdir hollow"),
        ("pipe", "mkfifo pipe"),
        ("attributes are a pipe", "rm -f .gitattributes; mkfifo .gitattributes"),
        ("link retargeted", "rm link; ln -s /etc link"),
        ("directory becomes link", "mv src ../moved-$$; ln -s ../moved-$$ src"),
        ("staged", "echo x >> README.md; git add README.md"),
        ("intent to add", "echo x > new; git add -N new"),
        ("assume unchanged", "git update-index --assume-unchanged README.md; echo x >> README.md"),
        ("skip worktree", "git update-index --skip-worktree README.md"),
        ("unmerged", "h=$(git rev-parse HEAD:README.md); git rm -q --cached README.md; printf '100644 %s 1\\tREADME.md\\n100644 %s 2\\tREADME.md\\n' $h $h | git update-index --index-info"),
        ("split index", "git update-index --split-index; echo x >> README.md"),
        ("on a branch", "git switch -q -c other-$$"),
        ("older commit", "git checkout -q --detach HEAD~1"),
        ("operation", "git rev-parse HEAD > $1/MERGE_HEAD"),
        ("lock", "touch $1/index.lock"),
        ("index garbage", "head -c 300 /dev/zero > $1/index"),
        ("index gone", "rm $1/index"),
        ("HEAD garbage", "echo x > $1/HEAD"),
        ("link broken", "echo x > .git"),
        ("no UTF-8", "touch \"$(printf 'a\\377')\""),
        ("case twin", "echo x > readme.MD"),
    ];

    private TestRepository _repository = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("plain", ":", true)]
    [InlineData("attributes that leave bytes alone", "echo '* text=auto' > .gitattributes", true)]
    [InlineData("worktree configs", "git config extensions.worktreeConfig true; echo x > x", true)]
    [InlineData("odd names", "printf a > 'ä'; printf b > \"$(printf 'n\\nl')\"; printf c > 'UPPER'; printf d > 'upper'; printf e > '-x'; mkdir 'a b'; printf f > 'a b/c'; printf g > a-b; printf h > a.b", true)]
    [InlineData("index of version 4", "git config index.version 4; echo x > x", true)]
    [InlineData("large files and empty ones", "head -c 300000 /dev/zero > zero; : > empty", true)]
    [InlineData("line ends", "echo '*.md text eol=crlf' > .gitattributes", false)]
    [InlineData("a filter", "echo '*.md filter=up' > .gitattributes; git config filter.up.smudge 'tr a-z A-Z'; git config filter.up.clean 'tr A-Z a-z'", false)]
    [InlineData("keywords", "echo '*.md ident' > .gitattributes", false)]
    [InlineData("a submodule", "git -c protocol.file.allow=always submodule --quiet add ../origin.git sub", false)]
    public async Task Both_say_the_same(string kind, string script, bool isInProcess)
    {
        Assert.SkipUnless(UnixFiles.IsSupported, "slots are probed in process on Linux");
        await _repository.ShellAsync(_repository.Main, $"{script}; git add -A; git commit -qm '{kind}' || true");
        string commit = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        var options = new WorktreePoolOptions { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };
        var git = new CliGitBackend(options, TimeProvider.System);
        await git.TrustAsync(Token);
        var trusted = new TrustedIndex(options.PoolDirectory);
        var probe = new InProcessProbe(RepositoryLayout.Of(options), trusted, new VerifiedIndexes(trusted, TimeProvider.System), KeepPatterns.Of(options));
        var time = new FakeTimeProvider();
        var remembering = new InProcessProbe(RepositoryLayout.Of(options), trusted, new VerifiedIndexes(trusted, time), KeepPatterns.Of(options));
        SlotPlace place = _repository.Place("slot-0");
        place = place with { Admin = await git.RepairAsync(place, commit, RepairLevel.Rebuild, Token) };
        List<string> wrong = [];
        int answered = 0;
        foreach ((string name, string damage) in Damages)
        {
            Learn();
            await _repository.ShellAsync(place.Path, damage, _repository.AdminDirectory(place.Admin));
            SlotProbe byGit = await git.ProbeAsync(place, new SlotTarget(commit), Token);
            if (name == "nothing" ? !byGit.IsReady : byGit.IsReady)
            {
                wrong.Add($"{name}: git finds {string.Join(", ", byGit.Findings)}");
            }

            if (PlainBytes.WhyNot(git.CheckoutSettings) is null && probe.Run(place, new SlotTarget(commit), Token).Probe is { } inProcess)
            {
                answered++;
                if (inProcess.IsReady != byGit.IsReady)
                {
                    wrong.Add($"{name}: git finds {string.Join(", ", byGit.Findings)}, this process {string.Join(", ", inProcess.Findings)}");
                }

                string read = string.Join(", ", inProcess.Findings), remembered = string.Join(", ", remembering.Run(place, new SlotTarget(commit), Token).Probe!.Findings);
                if (read != remembered)
                {
                    wrong.Add($"{name}: whoever reads all finds {read}, who knows the slot {remembered}");
                }
            }

            place = place with { Admin = await git.RepairAsync(place, commit, RepairLevel.Rebuild, Token) };
            SlotProbe healed = await git.ProbeAsync(place, new SlotTarget(commit), Token);
            if (!healed.IsReady)
            {
                wrong.Add($"{name}: a rebuild leaves {string.Join(", ", healed.Findings)}");
            }
        }

        wrong.Should().BeEmpty();
        (answered > Damages.Length * 2 / 3).Should().Be(isInProcess, "{0} of {1} were answered in process", answered, Damages.Length);

        // A claim, and others when nothing that is there is new any more.
        void Learn()
        {
            for (int claim = 0; claim < 3; claim++)
            {
                remembering.Run(place, new SlotTarget(commit), Token);
                time.Advance(TimeSpan.FromSeconds(3));
            }
        }
    }

    [Fact]
    public async Task In_a_SHA256_repository_git_answers_and_LibGit2Sharp_alone_refuses()
    {
        await _repository.ShellAsync(_repository.Root, "git init -q --object-format=sha256 -b main big && cd big && echo x > x && git add x && git commit -qm x");
        string main = Path.Combine(_repository.Root, "big"), commit = await _repository.GitAsync(main, "rev-parse", "HEAD");
        var options = new WorktreePoolOptions { RepositoryPath = main, PoolDirectory = _repository.Pool };
        var git = new CliGitBackend(options, TimeProvider.System);
        await git.TrustAsync(Token);
        SlotPlace place = _repository.Place("slot-0");
        place = place with { Admin = await git.RepairAsync(place, commit, RepairLevel.Rebuild, Token) };

        (await git.ProbeAsync(place, new SlotTarget(commit), Token)).Findings.Should().BeEmpty();
        var trusted = new TrustedIndex(options.PoolDirectory);
        new InProcessProbe(RepositoryLayout.Of(options), trusted, new VerifiedIndexes(trusted, TimeProvider.System), KeepPatterns.Of(options)).Run(place, new SlotTarget(commit), Token).Probe.Should().BeNull();
        Func<Task> alone = async () => await new LibGit2Backend(git, options).InspectAsync(Token);
        (await alone.Should().ThrowAsync<GitBackendException>()).WithMessage("*UseGit() or UseGitCli()*");
    }
}
