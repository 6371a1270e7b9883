using WorktreePool.TestHelper;

// A process for tests to start, and to kill: VERB ARGUMENTS. It prints a line when it has done what the verb says.
return args switch
{
    ["hold-slot", var pool, var slot] => await StoreVerbs.HoldSlotAsync(pool, slot),
    ["wait-for-slot", var pool, var slot] => await StoreVerbs.WaitForSlotAsync(pool, slot),
    ["hold-slot-with-child", var pool, var slot] => await StoreVerbs.HoldSlotWithChildAsync(pool, slot),
    ["count", var pool, var slot, var times] => await StoreVerbs.CountAsync(pool, slot, int.Parse(times, System.Globalization.CultureInfo.InvariantCulture)),
    ["write", var pool, var slot] => await StoreVerbs.WriteAsync(pool, slot),
    ["stop-in-change", var pool, var slot] => await StoreVerbs.StopInChangeAsync(pool, slot),
    ["hold-file", var path] => await StoreVerbs.HoldFileAsync(path),
    ["prune-history", var pool, var point] => await StoreVerbs.PruneHistoryAsync(pool, point),
    ["dispatch", var root, var name] => await Dispatching.RunAsync(root, name),
    ["operate", var root, var operation] => await Operations.RunAsync(root, operation),
    ["migrate", var root, var to] => await Migration.RunAsync(root, to),
    ["fleet-worker", var root, var host, var seed] => await FleetWorker.RunAsync(root, host, int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture)),
    ["hand-over", var root, var seed, var claims, var lasts] => await HandOver.RunAsync(
        root, int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture), int.Parse(claims, System.Globalization.CultureInfo.InvariantCulture), bool.Parse(lasts)),
    ["heal", var root] => await Operations.HealAsync(root),
    _ => throw new ArgumentException($"unknown: {string.Join(' ', args)}"),
};
