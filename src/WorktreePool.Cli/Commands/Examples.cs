namespace WorktreePool.Cli.Commands;

/// <summary>One way to use a command.</summary>
/// <param name="Meaning">What it does.</param>
/// <param name="Line">What to type.</param>
internal sealed record Example(string Meaning, string Line);

/// <summary>Examples of every command, for its help and for the manual page. A test parses each.</summary>
internal static class Examples
{
    private static readonly Dictionary<string, Example[]> All = new()
    {
        [""] =
        [
            new("make a pool of four slots", "worktree-pool init --repo ~/src/app --slots 4 --pool ~/pools/app"),
            new("work in a slot, and give it back however that ends", "worktree-pool run --key MC-4683 --branch cr/mc-4683 -- make test"),
            new("see what is held by whom, what is broken, what to do", "worktree-pool status"),
        ],
        ["init"] =
        [
            new("make a pool of four slots", "worktree-pool init --repo ~/src/app --slots 4 --pool ~/pools/app"),
            new("for a scheduler that kills its tasks after three minutes", "worktree-pool init --repo ~/src/app --slots 4 --claim-timeout 30s --host-timeout 180s"),
            new("resize: repeat it with another number", "worktree-pool init --repo ~/src/app --slots 8 --pool ~/pools/app"),
        ],
        ["claim"] =
        [
            new("hold a slot for as long as this shell lives", "worktree-pool claim --key MC-4683 --owner-pid $$ --json"),
            new("hold one for two hours, on a branch of its own, or be refused at once", "worktree-pool claim --key MC-4683 --branch cr/mc-4683 --lease 2h --no-wait"),
        ],
        ["claim-many"] = [new("as many of the tickets in a file as fit", "worktree-pool claim-many --lease 1h --json < tickets.txt")],
        ["attach"] =
        [
            new("see a lease", "worktree-pool attach --token TOKEN --json"),
            new("hand it to another process", "worktree-pool attach --token TOKEN --owner-pid 4711"),
        ],
        ["renew"] = [new("say that the work goes on", "worktree-pool renew --token TOKEN")],
        ["release"] =
        [
            new("give a slot back; work left in it is kept", "worktree-pool release --token TOKEN"),
            new("the same without a token, and without keeping anything", "worktree-pool release --key MC-4683 --discard"),
        ],
        ["run"] =
        [
            new("test a commit in a slot", "worktree-pool run --key nightly --base v1.4 -- make test"),
            new("in the background of a script: ends with the script, even if that is killed", "worktree-pool run --key MC-4683 --with-parent -- make test &"),
            new("wait at most five minutes for a slot; throw away what the job leaves", "worktree-pool run --key MC-4683 --wait 5m --discard -- sh -c 'make && make test'"),
        ],
        ["status"] =
        [
            new("look, and keep looking until q is pressed", "worktree-pool status --watch"),
            new("a report for a browser or a phone", "worktree-pool status --html report.html"),
            new("all hosts of a pool in PostgreSQL", "worktree-pool status --fleet"),
            new("for a script", "worktree-pool status --json"),
        ],
        ["doctor"] =
        [
            new("what is wrong, and what a fix would do", "worktree-pool doctor"),
            new("heal what nobody holds", "worktree-pool doctor --fix"),
            new("take a slot from its holder; its work is kept", "worktree-pool doctor --fix --force-slot slot-2"),
            new("is this repository, on this machine, ready for a pool of eight", "worktree-pool doctor --repo ~/src/app --slots 8"),
        ],
        ["maintain"] =
        [
            new("one pass, from cron or a timer", "worktree-pool maintain"),
            new("a loop, in a service", "worktree-pool maintain --every 1m"),
        ],
        ["pause"] = [new("grant no claim to anybody", "worktree-pool pause --reason \"the disk is being replaced\"")],
        ["resume"] = [new("go on", "worktree-pool resume")],
        ["rescue list"] = [new("work of one ticket that was kept", "worktree-pool rescue list --key MC-4683")],
        ["rescue show"] = [new("which files, and what is in them", "worktree-pool rescue show ID")],
        ["rescue restore"] = [new("get it back as a branch", "worktree-pool rescue restore ID --branch found/mc-4683")],
        ["rescue drop"] = [new("throw it away", "worktree-pool rescue drop ID")],
        ["history"] =
        [
            new("what happened to a ticket", "worktree-pool history --key MC-4683"),
            new("what was set aside in the last day", "worktree-pool history --event quarantined --since 24h"),
            new("a stream for a tool", "worktree-pool history --limit 1000 --json-lines"),
        ],
        ["config"] =
        [
            new("what counts, and why", "worktree-pool config"),
            new("what would count", "worktree-pool config --claim-timeout 10s"),
        ],
        ["remove-host"] = [new("a machine was scrapped", "worktree-pool remove-host build-7")],
        ["migrate"] = [new("move the state from files to the PostgreSQL that pool.json names", "worktree-pool migrate --to postgres")],
        ["trust"] = [new("accept the repository's config and hooks as they are now", "worktree-pool trust")],
        ["demo"] = [new("see the outage of 3 June, and the pool survive it", "worktree-pool demo")],
        ["completion"] =
        [
            new("for bash, in ~/.bashrc", "source <(worktree-pool completion bash)"),
            new("for zsh, after compinit in ~/.zshrc", "source <(worktree-pool completion zsh)"),
            new("for fish, in config.fish", "worktree-pool completion fish | source"),
        ],
        ["manual"] = [new("read it", "worktree-pool manual | man -l -")],
    };

    /// <summary>Those of a command; its name without the program's.</summary>
    public static IReadOnlyList<Example> Of(string command) => All.GetValueOrDefault(command, []);
}
