using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.RegularExpressions;
using WorktreePool.Cli.Output.Html;

namespace WorktreePool.Process.Tests.Report;

/// <summary>The report in headless Chromium, as wide as a phone and as a desk. The pictures stay in artifacts/report, for a person to look at.</summary>
public sealed class BrowserTests
{
    private static readonly string? Chromium = new[] { "chromium", "chromium-browser", "google-chrome" }
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(directory => Path.Combine(directory, name))).FirstOrDefault(File.Exists);

    [Theory]
    [InlineData("phone", 390, 1400)]
    [InlineData("desk", 1280, 1000)]
    public async Task Is_no_wider_than_the_screen(string name, int width, int height)
    {
        Assert.SkipWhen(Chromium is null, "There is no Chromium here, so the report was not looked at in a browser.");
        string directory = Directory.CreateDirectory(Path.Combine(Repository(), "artifacts", "report")).FullName;
        string page = Path.Combine(directory, $"{name}.html");
        await File.WriteAllTextAsync(page, Sample(), TestContext.Current.CancellationToken);

        string picture = Path.Combine(directory, $"{name}.png");
        await RunAsync($"--window-size={width},{height}", $"--screenshot={picture}", $"file://{page}");
        Size(picture).Should().Be((width, height));

        // The page allows no script, its frame does: how wide is what is in it?
        string frame = Path.Combine(directory, $"{name}-frame.html");
        await File.WriteAllTextAsync(
            frame,
            $"<body><iframe id=f width={width} height={height} src={name}.html></iframe><script>onload = () => document.body.dataset.width = f.contentDocument.documentElement.scrollWidth + ' of ' + f.contentWindow.innerWidth</script>",
            TestContext.Current.CancellationToken);
        string dom = await RunAsync("--allow-file-access-from-files", "--virtual-time-budget=2000", "--dump-dom", $"file://{frame}");
        File.Delete(frame);
        Match measured = Regex.Match(dom, "data-width=\"(\\d+) of (\\d+)\"");
        measured.Success.Should().BeTrue(dom);
        int.Parse(measured.Groups[1].Value).Should().BeLessThanOrEqualTo(int.Parse(measured.Groups[2].Value), "nothing is cut off or has to be scrolled to");
    }

    private static string Sample()
    {
        string[] findings = [FindingIds.OnBranch, FindingIds.Untracked, FindingIds.LockStale, FindingIds.TreeDiffers];
        List<HistoryEntry> history = [];
        for (int i = 0; i < 60; i++)
        {
            string slot = $"slot-{i % 6}", key = i == 7 ? new string('K', 120) : $"MC-{4600 + i}";
            int start = 600 - (i / 6 * 60) - (i % 6 * 7);
            history.Add(SamplePool.Entry(HistoryEvent.Claimed, slot, key, start, i % 3 == 0 ? [findings[i % 4], findings[(i + 1) % 4]] : []) with { Waited = TimeSpan.FromMilliseconds(Math.Pow(i, 3) / 4), Prepared = TimeSpan.FromMilliseconds(40 + i) });
            if (i < 56)
            {
                history.Add(SamplePool.Entry(i % 9 == 4 ? HistoryEvent.Reclaimed : HistoryEvent.Released, slot, key, start - 10 - (i % 5 * 9)));
            }
        }

        PoolSnapshot pool = SamplePool.Of(8, number => number switch { 1 => SlotState.Quarantined, < 6 => SlotState.Leased, _ => SlotState.Free });
        return HtmlReport.Of(pool, [.. history.OrderByDescending(entry => entry.At)], SamplePool.Now);
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        string profile = Directory.CreateTempSubdirectory("worktree-pool-browser-").FullName;
        var start = new ProcessStartInfo(Chromium!, ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", $"--user-data-dir={profile}", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using System.Diagnostics.Process browser = System.Diagnostics.Process.Start(start)!;
        Task<string> error = browser.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await browser.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await browser.WaitForExitAsync(TestContext.Current.CancellationToken);
        browser.ExitCode.Should().Be(0, await error);
#pragma warning disable RS0030 // Our own temporary files.
        Directory.Delete(profile, recursive: true);
#pragma warning restore RS0030
        return output;
    }

    /// <summary>Width and height, from the picture's header.</summary>
    private static (int Width, int Height) Size(string png)
    {
        ReadOnlySpan<byte> header = File.ReadAllBytes(png);
        return (BinaryPrimitives.ReadInt32BigEndian(header[16..]), BinaryPrimitives.ReadInt32BigEndian(header[20..]));
    }

    private static string Repository()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "WorktreePool.sln")))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return directory;
    }
}
