using System.Runtime.Versioning;

// The states are brought about with bash, GNU tools, and file modes.
[assembly: SupportedOSPlatform("linux")]
