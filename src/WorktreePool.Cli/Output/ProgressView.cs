using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using Words = Spectre.Console.Text;

namespace WorktreePool.Cli.Output;

/// <summary>Progress bars on standard error while long work goes on. Nothing at all where that is no terminal, or the answer is JSON.</summary>
internal static class ProgressView
{
    /// <summary>Does the work, and shows how far it is.</summary>
    public static async Task<T> WhileAsync<T>(Answer answer, Func<IProgress<PoolProgress>?, Task<T>> work)
    {
        if (answer.IsJson || Console.IsErrorRedirected || !Screen.CanMoveCursor)
        {
            return await work(null);
        }

        T result = default!;
        await Screen.Console(Console.Error, InteractionSupport.Yes).Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 30 }, new RateColumn(), new RemainingTimeColumn())
            .StartAsync(async context => result = await work(new Bars(context)));
        return result;
    }

    private static string Name(PoolPhase phase) => phase switch
    {
        PoolPhase.Fetching => "fetching",
        PoolPhase.Preparing => "preparing",
        PoolPhase.Examining => "examining",
        _ => "removing",
    };

    /// <summary>One bar for each kind of work, and for each of git's own steps of a fetch.</summary>
    private sealed class Bars(ProgressContext context) : IProgress<PoolProgress>
    {
        private readonly Dictionary<string, ProgressTask> _bars = [];

        public void Report(PoolProgress value)
        {
            string step = value.Phase == PoolPhase.Fetching ? $"fetching: {value.Subject?.Split(',')[0].ToLowerInvariant()}" : Name(value.Phase);
            if (!_bars.TryGetValue(step, out ProgressTask? bar))
            {
                _bars[step] = bar = context.AddTask(step, maxValue: Math.Max(1, value.Total));
            }

            string detail = value.Phase == PoolPhase.Fetching ? value.Subject?.Split(", ", 2) is [_, var rate] ? rate : "" : value.Subject ?? "";
            bar.Description = Markup.Escape($"{step} {detail}".TrimEnd());
            bar.IsIndeterminate = value.Total == 0;
            bar.MaxValue = Math.Max(1, value.Total);
            bar.Value = value.Done;
        }
    }

    /// <summary>How many of how many, and how many a second.</summary>
    private sealed class RateColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Words(string.Create(
            CultureInfo.InvariantCulture, $"{task.Value:0}/{task.MaxValue:0}{(task.Speed is { } speed and > 0 ? speed >= 1 ? $", {speed:0.#}/s" : $", {speed * 60:0.#}/min" : "")}"));
    }
}
