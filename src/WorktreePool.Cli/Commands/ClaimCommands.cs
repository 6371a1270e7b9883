using System.CommandLine;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>claim, claim-many, attach, renew.</summary>
internal static class ClaimCommands
{
    /// <summary>The options that say who keeps a lease alive, and the claim's wishes; shared with run.</summary>
    public static IEnumerable<Option> ClaimOptions() =>
    [
        new Option<string?>("--branch") { Description = "Make this branch at the base and put HEAD on it" },
        new Option<string?>("--base") { Description = "Start from this ref instead of the pool's base" },
        new Option<string?>("--wait") { Description = "How long to wait for a slot" },
        new Option<bool>("--no-wait") { Description = "Take a slot at once or be refused" },
        new Option<string[]>("--meta") { Description = "K=V to keep with the lease" },
    ];

    public static IEnumerable<Option> OwnerOptions() =>
    [
        new Option<int?>("--owner-pid") { Description = "The lease lives as long as this process" },
        new Option<string?>("--lease") { Description = "The lease lasts this long unless renewed" },
    ];

    public static Command Claim() => App.Command("claim", "Claims a slot", ClaimAsync,
        [new Option<string>("--key") { Required = true, Description = "What the claim is for" }, .. ClaimOptions(), .. OwnerOptions(), new Option<string?>("--token") { Description = "The token of the key's live lease, to get it again" }]);

    public static Command ClaimMany() => App.Command("claim-many", "Claims what fits, never waits; keys also from standard input", ClaimManyAsync,
        [new Option<string[]>("--key") { Description = "A key; may be repeated" }, .. OwnerOptions()]);

    public static Command Attach() => App.Command("attach", "Shows a lease; with --owner-pid, moves it to that process", AttachAsync,
        [new Option<string>("--token") { Required = true, Description = "The lease's token" }, new Option<int?>("--owner-pid") { Description = "The lease lives as long as this process from now on" }]);

    public static Command Renew() => App.Command("renew", "Checks in: extends a lease with a duration", RenewAsync,
        [new Option<string>("--token") { Required = true, Description = "The lease's token" }]);

    public static ClaimRequest Request(Session session, string key, LeaseOwner owner) => new()
    {
        Key = key,
        Branch = session.Get<string?>("--branch"),
        Base = session.Get<string?>("--base"),
        Wait = Wait(session),
        Owner = owner,
        Metadata = Metadata(session),
    };

    public static LeaseToken Token(Session session) => LeaseToken.TryParse(session.Get<string>("--token"), out LeaseToken? token)
        ? token
        : throw new LeaseLostException("The token is not of the form that a claim gives; it proves no lease. Nothing was touched.");

    public static async Task<SlotLease> AttachedAsync(Session session, CancellationToken cancellationToken) =>
        await session.Pool.TryAttachAsync(Token(session), cancellationToken)
        ?? throw new LeaseLostException("The token proves no live lease (any more): it was released, or reclaimed because its owner was gone or its time ran out. Nothing was touched.");

    private static TimeSpan? Wait(Session session) => (session.Time("--wait"), session.Get<bool>("--no-wait")) switch
    {
        (not null, true) => throw new UsageException("--wait and --no-wait exclude each other."),
        (_, true) => TimeSpan.Zero,
        (var time, _) => time,
    };

    private static Dictionary<string, string> Metadata(Session session)
    {
        Dictionary<string, string> metadata = [];
        foreach (string pair in session.Get<string[]>("--meta") ?? [])
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw new UsageException($"--meta \"{pair}\" is not of the form K=V.");
            }

            if (!metadata.TryAdd(pair[..equals], pair[(equals + 1)..]))
            {
                throw new UsageException($"--meta gives {pair[..equals]} twice.");
            }
        }

        return metadata;
    }

    private static LeaseOwner Owner(Session session)
    {
        if (session.Get<int?>("--owner-pid") is { } pid)
        {
            return session.Get<string?>("--lease") is null
                ? OwnerOf(session, pid)
                : throw new UsageException("--owner-pid and --lease exclude each other.");
        }

        var options = new WorktreePoolOptions();
        session.Settings.Apply(options);
        TimeSpan duration = session.Time("--lease") ?? options.LeaseDuration;
        return duration > TimeSpan.Zero ? LeaseOwner.ForDuration(duration) : throw new UsageException("--lease must be more than zero.");
    }

    private static LeaseOwner OwnerOf(Session session, int pid) => session.Processes.Find(pid) is { } process
        ? LeaseOwner.ForProcess(process)
        : throw new UsageException($"--owner-pid {pid}: no such process runs.");

    private static async Task<int> ClaimAsync(Session session, CancellationToken cancellationToken)
    {
        ClaimRequest request = Request(session, session.Get<string>("--key")!, Owner(session)) with
        {
            Token = session.Get<string?>("--token") is null ? null : Token(session),
        };
        ClaimResult result = await ClaimOrRefusalAsync(session.Pool, request, cancellationToken);
        return Give(session, result);
    }

    /// <summary>A claim that waits, with its refusal as a value.</summary>
    public static async Task<ClaimResult> ClaimOrRefusalAsync(IWorktreePool pool, ClaimRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return ClaimResult.Claimed(await pool.ClaimAsync(request, cancellationToken));
        }
        catch (SlotUnavailableException e)
        {
            return ClaimResult.Refused(e.Refusal);
        }
    }

    public static int Give(Session session, ClaimResult result)
    {
        if (result.Failure is { } failure)
        {
            (int code, string name) = ExitCode.For(failure);
            session.Answer.Fail(name, failure.Message);
            return code;
        }

        if (result.Refusal is { } refusal)
        {
            session.Answer.Refuse(Mapping.Refusal(refusal), AnswerJson.Default.RefusalDocument, () => $"refused ({Mapping.Name(refusal.Reason)}): {refusal.Message}");
            return ExitCode.For(refusal.Reason);
        }

        SlotLease lease = result.Lease!;
        lease.Detach();
        session.Answer.Give(Mapping.Claim(lease), AnswerJson.Default.ClaimDocument, () => Text.Claim(lease));
        return ExitCode.Done;
    }

    private static async Task<int> ClaimManyAsync(Session session, CancellationToken cancellationToken)
    {
        List<string> keys = [.. session.Get<string[]>("--key") ?? [], .. await KeysOfInputAsync(cancellationToken)];
        if (keys.Count == 0)
        {
            throw new UsageException("No key was given, neither by --key nor on standard input.");
        }

        LeaseOwner owner = Owner(session);
        List<ClaimRequest> requests = [.. keys.Select(key => new ClaimRequest { Key = key, Owner = owner })];
        requests.ForEach(request => request.Validate());
        BatchClaim batch = await session.Pool.ClaimWhatFitsAsync(requests, cancellationToken);
        int worst = ExitCode.Done;
        foreach (ClaimResult result in batch.Results)
        {
            int code = Give(session, result);
            worst = worst == ExitCode.Done ? code : worst;
        }

        return worst;
    }

    private static async Task<List<string>> KeysOfInputAsync(CancellationToken cancellationToken)
    {
        List<string> keys = [];
        if (Console.IsInputRedirected)
        {
            // Not Console.In, whose reads end for no signal.
            using var input = new StreamReader(Console.OpenStandardInput());
            while (await Task.Run(() => input.ReadLineAsync(CancellationToken.None).AsTask(), cancellationToken).WaitAsync(cancellationToken) is { } line)
            {
                if (line.Trim() is { Length: > 0 } key)
                {
                    keys.Add(key);
                }
            }
        }

        return keys;
    }

    private static async Task<int> AttachAsync(Session session, CancellationToken cancellationToken)
    {
        SlotLease lease = await AttachedAsync(session, cancellationToken);
        if (session.Get<int?>("--owner-pid") is { } pid)
        {
            await lease.TransferAsync(OwnerOf(session, pid), cancellationToken);
        }

        return Give(session, ClaimResult.Claimed(lease));
    }

    private static async Task<int> RenewAsync(Session session, CancellationToken cancellationToken)
    {
        SlotLease lease = await AttachedAsync(session, cancellationToken);
        await lease.RenewAsync(cancellationToken);
        lease.Detach();
        session.Answer.Give(
            new RenewedDocument("renewed", lease.Key, lease.Slot, lease.ExpiresAt), AnswerJson.Default.RenewedDocument,
            () => $"renewed {lease.Slot} for {lease.Key}{(lease.ExpiresAt is { } end ? $" until {end:u}" : "")}");
        return ExitCode.Done;
    }
}
