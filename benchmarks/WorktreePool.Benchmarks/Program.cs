using BenchmarkDotNet.Running;
using WorktreePool.Benchmarks;
using WorktreePool.Benchmarks.Contention;
using WorktreePool.Benchmarks.Fleet;
using WorktreePool.Benchmarks.Ratios;

// What each verb measures, and how to read it, is in benchmarks/README.md.
if (args is ["contention", .. var options])
{
    return await ContentionVerb.RunAsync(ContentionSettings.Parse(options));
}

if (args is ["fleet", var connection, .. var count])
{
    return await FleetVerb.RunAsync(connection, count is [var pairs] ? int.Parse(pairs, System.Globalization.CultureInfo.InvariantCulture) : 1000);
}

if (args is [ContentionWorker.Verb, .. var work])
{
    return await ContentionWorker.RunAsync(ContentionSettings.Parse(work));
}

if (args is ["ratios", .. var choice])
{
    return await RatiosVerb.RunAsync(choice);
}

BenchmarkSwitcher.FromAssembly(typeof(Measuring).Assembly).Run(Measuring.WithoutJob(args), Measuring.ConfigFor(args));
return 0;
