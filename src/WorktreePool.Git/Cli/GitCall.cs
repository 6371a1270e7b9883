namespace WorktreePool.Git.Cli;

/// <summary>One run of git: arguments, the place it works on, and what is fed to it.</summary>
internal sealed record GitCall(params IReadOnlyList<string> Arguments)
{
    /// <summary>Variables on top of the hermetic ones.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings that win over every config file.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>What it works on: a slot's path, or the common directory.</summary>
    public required string Subject { get; init; }

    /// <summary>Marks the process, so that one orphaned by a crash can be found. Default: what it works on.</summary>
    public string Mark
    {
        get => field ?? Subject;
        init;
    }

    /// <summary>Is given each line of standard error as soon as it is complete, also those that end in a carriage return; null: nobody asks.</summary>
    public Action<string>? Complaints { get; init; }

    /// <summary>Bytes for standard input; null closes it.</summary>
    public string? Input { get; init; }

    /// <summary>The same call with what the trusted baseline says about reaching remotes: credentials, proxies, rewrites, the ssh command.</summary>
    public GitCall ToRemote(BaselineDocument trusted)
    {
        GitCall call = this with { Settings = [.. Settings, .. trusted.Transport] };
        if (trusted.Transport.LastOrDefault(setting => setting.Key == "core.sshcommand").Value is { } ssh)
        {
            // As a variable, for there it is above the setting, and the hermetic one stands there otherwise.
            call = call with { Environment = new Dictionary<string, string>(Environment) { ["GIT_SSH_COMMAND"] = ssh } };
        }

        return call;
    }
}

/// <summary>How a run ended.</summary>
internal sealed record GitResult(int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>The fields of a <c>-z</c> output.</summary>
    public IEnumerable<string> Fields => Output.Length == 0 ? [] : Output.Split('\0').SkipLast(Output.EndsWith('\0') ? 1 : 0);

    /// <summary>The settings in the output of <c>config -z --list</c>. One without a value is true.</summary>
    public IEnumerable<KeyValuePair<string, string>> Settings => Fields.Select(text => text.Split('\n', 2))
        .Select(parts => KeyValuePair.Create(parts[0], parts.Length > 1 ? parts[1] : "true"));

    public string Line => Output.Trim();
}
