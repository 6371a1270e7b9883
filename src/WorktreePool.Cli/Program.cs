return await WorktreePool.Cli.Commands.App.RunAsync(args);
