using System.CommandLine;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.Cli.Commands;
using WorktreePool.Cli.Output;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;

namespace WorktreePool.Cli.Demo;

/// <summary>demo.</summary>
internal static class DemoCommand
{
    private const int Slots = 3;

    private const string Name = "demo";

    private static readonly string[] Tickets = ["MC-4683", "MC-4690", "MC-4691", "MC-4702", "MC-4710"];

    public static Command Create() => App.Command("demo", "Replays the outage of 3 June in a scratch repository", RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        // With --json the story is a diagnostic, and the answer is one object.
        TextWriter story = session.Answer.IsJson ? Console.Error : Console.Out;
        var scratch = new Scratch(Directory.CreateTempSubdirectory("worktree-pool-demo-").FullName);
        var watch = Stopwatch.StartNew();
        try
        {
            Say($"1. A scratch repository, and a pool of {Slots} slots over it");
            await scratch.MakeAsync();
            var settings = Settings.PoolSettings.Load(scratch.Pool);
            settings.SetFlag("repositoryPath", scratch.Repository);
            settings.SetFlag("slots", $"{Slots}");
            var services = new ServiceCollection();
            services.AddWorktreePool(Name, settings.Apply).UseGit().UseFileState();
            await using ServiceProvider provider = services.BuildServiceProvider();
            await provider.GetRequiredKeyedService<IPoolOperator>(Name).InitializeAsync(cancellationToken);
            settings.Save();

            var outage = new Outage(scratch, provider.GetRequiredKeyedService<IWorktreePool>(Name), Slots, story);
            Say("2. 3 June, 21:00: slots recorded as free stand on stale branches, dirty and locked; a claimer was killed with SIGKILL in the middle");
            await outage.BreakAsync(cancellationToken);
            await outage.ShowAsync(cancellationToken);

            Say($"3. {Tickets.Length} tickets are dispatched into {Slots} slots; what does not fit is refused at once, and comes in the next cycle");
            await outage.DispatchAsync(Tickets, cancellationToken);

            Say("4. After the last release");
            bool isReady = await outage.ShowAsync(cancellationToken);
            string verdict = isReady
                ? $"All {Slots} slots are ready, by plain git's own word. Nobody deleted a lock file by hand. ({watch.Elapsed.TotalSeconds:0.0} s)"
                : "A slot is NOT ready. This is a bug: please report it with the lines above.";
            story.WriteLine();
            story.WriteLine(verdict);
            if (session.Answer.IsJson)
            {
                session.Answer.Give(new DemoDocument("demonstrated", isReady, Tickets), AnswerJson.Default.DemoDocument, () => verdict);
            }

            return isReady ? ExitCode.Done : ExitCode.Failure;
        }
        finally
        {
            scratch.Delete();
        }

        void Say(string line)
        {
            story.WriteLine();
            story.WriteLine(line);
            story.WriteLine();
        }
    }
}
